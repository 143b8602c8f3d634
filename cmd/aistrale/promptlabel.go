package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

func promptLabel(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptLabelUsage)
	words, err := c.parse(args, 3)
	if err != nil {
		return err
	}
	path := c.path(words[0], "labels", words[1])
	if words[2] == "none" {
		return c.withAPI(ctx, func(api *apiClient) error { return api.call(ctx, http.MethodDelete, path, nil, nil) })
	}
	shares, err := parseShares(words[2])
	if err != nil {
		return usagef("%s\n%s", err, c.usage)
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		if err := api.call(ctx, http.MethodPut, path, map[string]any{"versions": shares}, nil); err != nil {
			return err
		}
		var p admin.Prompt
		if err := api.call(ctx, http.MethodGet, c.path(words[0]), nil, &p); err != nil {
			return err
		}
		return c.printPrompts([]admin.Prompt{p})
	})
}

// parseShares reads "3", or "3=90,4=10".
func parseShares(text string) ([]storage.PromptShare, error) {
	var shares []storage.PromptShare
	for part := range strings.SplitSeq(text, ",") {
		version, weight, split := strings.Cut(part, "=")
		if !split {
			weight = "1"
		}
		v, err := strconv.Atoi(version)
		if err != nil {
			return nil, fmt.Errorf("%q is no version", version)
		}
		w, err := strconv.Atoi(weight)
		if err != nil {
			return nil, fmt.Errorf("%q is no weight", weight)
		}
		shares = append(shares, storage.PromptShare{Version: v, Weight: w})
	}
	return shares, nil
}
