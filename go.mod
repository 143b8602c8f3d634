module github.com/aistrale/aistrale

go 1.26.0
