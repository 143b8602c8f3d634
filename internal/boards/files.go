package boards

import "fmt"

// Files gives the files under deploy that are made here, by their paths there.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	all := groups()
	for name, of := range map[string][]group{"recordings.yml": all[:1], "alerts.yml": all[1:]} {
		text, err := rules(of...)
		if err != nil {
			return nil, err
		}
		files["prometheus/rules/"+name] = text
		files["helm/aistrale/rules/"+name] = text // a chart reads no files but its own
	}
	for _, b := range Boards() {
		text, err := b.json()
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", b.name, err)
		}
		files["grafana/dashboards/"+b.name+".json"] = text
	}
	return files, nil
}
