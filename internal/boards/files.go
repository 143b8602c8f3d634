package boards

import "fmt"

// Files gives the files under deploy that are made here, by their paths there.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	all := groups()
	var err error
	if files["prometheus/rules/recordings.yml"], err = rules(all[0]); err != nil {
		return nil, err
	}
	if files["prometheus/rules/alerts.yml"], err = rules(all[1:]...); err != nil {
		return nil, err
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
