package boards

// What follows is Grafana's JSON of a dashboard, in as far as it is used here.
// Source: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/

type grafanaBoard struct {
	UID           string          `json:"uid"`
	Title         string          `json:"title"`
	Description   string          `json:"description"`
	Tags          []string        `json:"tags"`
	Timezone      string          `json:"timezone"`
	Editable      bool            `json:"editable"`
	GraphTooltip  int             `json:"graphTooltip"` // 1: one crosshair over all panels
	Time          grafanaTime     `json:"time"`
	Refresh       string          `json:"refresh"`
	SchemaVersion int             `json:"schemaVersion"`
	Templating    grafanaList     `json:"templating"`
	Annotations   grafanaList     `json:"annotations"`
	Links         []grafanaLink   `json:"links"`
	Panels        []*grafanaPanel `json:"panels"`
}

type grafanaTime struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type grafanaList struct {
	List []any `json:"list"`
}

type grafanaVariable struct {
	Type       string         `json:"type"`
	Name       string         `json:"name"`
	Label      string         `json:"label"`
	Query      string         `json:"query"`
	Definition string         `json:"definition,omitempty"`
	Datasource *grafanaSource `json:"datasource,omitempty"`
	Current    *grafanaChoice `json:"current,omitempty"`
	Refresh    int            `json:"refresh,omitempty"` // 2: when the time range changes
	Sort       int            `json:"sort,omitempty"`    // 1: by the alphabet
	Multi      bool           `json:"multi,omitempty"`
	IncludeAll bool           `json:"includeAll,omitempty"`
	AllValue   string         `json:"allValue,omitempty"`
}

// grafanaChoice is what is chosen: a string, or strings where a variable takes several.
type grafanaChoice struct {
	Selected bool `json:"selected"`
	Text     any  `json:"text"`
	Value    any  `json:"value"`
}

type grafanaSource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type grafanaAnnotation struct {
	Name            string         `json:"name"`
	Datasource      *grafanaSource `json:"datasource"`
	Enable          bool           `json:"enable"`
	IconColor       string         `json:"iconColor"`
	Expr            string         `json:"expr"`
	TitleFormat     string         `json:"titleFormat"`
	TextFormat      string         `json:"textFormat"`
	Step            string         `json:"step,omitempty"`
	UseValueForTime bool           `json:"useValueForTime,omitempty"`
}

type grafanaLink struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	URL         string   `json:"url,omitempty"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	TargetBlank bool     `json:"targetBlank"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

// grafanaPanel is a panel, or a row, which is the heading of those that follow.
type grafanaPanel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	GridPos         grafanaPlace     `json:"gridPos"`
	Collapsed       *bool            `json:"collapsed,omitempty"` // of a row
	Panels          *[]*grafanaPanel `json:"panels,omitempty"`    // of a row that is collapsed
	Datasource      *grafanaSource   `json:"datasource,omitempty"`
	Targets         []grafanaTarget  `json:"targets,omitempty"`
	FieldConfig     *grafanaFields   `json:"fieldConfig,omitempty"`
	Options         any              `json:"options,omitempty"`
	Transformations []grafanaChange  `json:"transformations,omitempty"`
}

type grafanaPlace struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type grafanaTarget struct {
	RefID        string         `json:"refId"`
	Datasource   *grafanaSource `json:"datasource"`
	Expr         string         `json:"expr"`
	LegendFormat string         `json:"legendFormat,omitempty"`
	Format       string         `json:"format,omitempty"`
	Instant      bool           `json:"instant,omitempty"`
	Range        bool           `json:"range,omitempty"`
	Exemplar     bool           `json:"exemplar,omitempty"`
	QueryType    string         `json:"queryType,omitempty"` // Loki's
	MaxLines     int            `json:"maxLines,omitempty"`  // Loki's
}

type grafanaFields struct {
	Defaults  grafanaField      `json:"defaults"`
	Overrides []grafanaOverride `json:"overrides"`
}

type grafanaField struct {
	Unit       string             `json:"unit,omitempty"`
	Min        *float64           `json:"min,omitempty"`
	Max        *float64           `json:"max,omitempty"`
	NoValue    string             `json:"noValue,omitempty"`
	Color      *grafanaColor      `json:"color,omitempty"`
	Thresholds *grafanaThresholds `json:"thresholds,omitempty"`
	Mappings   []grafanaMapping   `json:"mappings,omitempty"`
	Custom     any                `json:"custom,omitempty"`
}

type grafanaColor struct {
	Mode string `json:"mode"`
}

type grafanaThresholds struct {
	Mode  string        `json:"mode"`
	Steps []grafanaStep `json:"steps"`
}

// grafanaStep is a colour from a value on; the first has none.
type grafanaStep struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type grafanaMapping struct {
	Type    string                 `json:"type"`
	Options map[string]grafanaName `json:"options"`
}

// grafanaName is what a value is called.
type grafanaName struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

type grafanaOverride struct {
	Matcher    grafanaMatcher    `json:"matcher"`
	Properties []grafanaProperty `json:"properties"`
}

type grafanaMatcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type grafanaProperty struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type grafanaChange struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}
