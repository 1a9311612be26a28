package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

type dashboardProvider struct {
	Name                  string `yaml:"name"`
	OrgID                 int    `yaml:"orgId"`
	Type                  string `yaml:"type"`
	Folder                string `yaml:"folder"`
	FolderUID             string `yaml:"folderUid"`
	DisableDeletion       bool   `yaml:"disableDeletion"`
	Editable              bool   `yaml:"editable"`
	UpdateIntervalSeconds int    `yaml:"updateIntervalSeconds"`
	AllowUIUpdates        bool   `yaml:"allowUiUpdates"`
	Options               struct {
		Path                      string `yaml:"path"`
		FoldersFromFilesStructure bool   `yaml:"foldersFromFilesStructure"`
	} `yaml:"options"`
}

type dashboardFile struct {
	APIVersion int                 `yaml:"apiVersion"`
	Providers  []dashboardProvider `yaml:"providers"`
}

// dashboard is one provisioned or saved dashboard; body is its JSON as it was given.
type dashboard struct {
	uid, title, folder, file string
	version                  int64
	editable                 bool
	body                     map[string]any
}

var (
	dashboardLink = regexp.MustCompile(`(?:^|[^\w])/d/([A-Za-z0-9_-]+)`)
	variableName  = regexp.MustCompile(`^\$\{?(\w+)`)
	// Names that Grafana itself answers to, beside the data sources.
	builtInSources = []string{"-- Grafana --", "-- Mixed --", "-- Dashboard --", "grafana", "__expr__", ""}
)

// loadDashboards reads every provider's folder. Anything that Grafana would skip with a log line is an error here.
func loadDashboards(folder string, sources []datasource) ([]dashboard, error) {
	var providers []dashboardProvider
	err := eachYAML(folder, func(path string) error {
		var file dashboardFile
		if err := decodeProvisioning(path, &file); err != nil {
			return err
		}
		providers = append(providers, file.Providers...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []dashboard
	names := map[string]bool{}
	for _, provider := range providers {
		if names[provider.Name] || provider.Name == "" {
			return nil, fmt.Errorf("dashboard provider name %q is empty or used twice", provider.Name)
		}
		names[provider.Name] = true
		found, err := provider.load()
		if err != nil {
			return nil, fmt.Errorf("dashboard provider %q: %w", provider.Name, err)
		}
		all = append(all, found...)
	}
	return all, checkDashboards(all, sources)
}

func (p dashboardProvider) load() ([]dashboard, error) {
	if p.Type != "" && p.Type != "file" {
		return nil, fmt.Errorf("type %q is unknown; allowed: file", p.Type)
	}
	var found []dashboard
	err := filepath.WalkDir(p.Options.Path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		board, err := parseDashboard(content)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		board.file, board.editable, board.folder = path, p.AllowUIUpdates, p.Folder
		if below := filepath.Dir(path); p.Options.FoldersFromFilesStructure && below != filepath.Clean(p.Options.Path) {
			board.folder = filepath.Base(below)
		}
		found = append(found, board)
		return nil
	})
	return found, err
}

func parseDashboard(content []byte) (dashboard, error) {
	var body map[string]any
	if err := json.Unmarshal(content, &body); err != nil {
		return dashboard{}, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, resource := body["spec"]; resource {
		return dashboard{}, errors.New("is a dashboard resource (apiVersion, spec); this server reads the classic model")
	}
	title, _ := body["title"].(string)
	uid, _ := body["uid"].(string)
	if title == "" {
		return dashboard{}, errors.New("Dashboard title cannot be empty")
	}
	if len(uid) > 40 {
		return dashboard{}, fmt.Errorf("uid %q is too long, max 40 characters", uid)
	}
	return dashboard{uid: uid, title: title, version: 1, body: body}, nil
}

func checkDashboards(all []dashboard, sources []datasource) error {
	var problems []error
	uids, titles := map[string]string{}, map[string]string{}
	for _, board := range all {
		if board.uid == "" {
			problems = append(problems, fmt.Errorf("%s: the dashboard has no fixed uid", board.file))
		}
		if other, taken := uids[board.uid]; taken {
			problems = append(problems, fmt.Errorf("%s and %s: the same UID is used more than once: %q", other, board.file, board.uid))
		}
		place := board.folder + "/" + board.title
		if other, taken := titles[place]; taken {
			problems = append(problems, fmt.Errorf("%s and %s: dashboard title is not unique in folder: %q", other, board.file, place))
		}
		uids[board.uid], titles[place] = board.file, board.file
	}
	for _, board := range all {
		check := reference{sources: sources, dashboards: uids, variables: board.datasourceVariables()}
		for _, problem := range check.walk("", board.body) {
			problems = append(problems, fmt.Errorf("%s: %w", board.file, problem))
		}
	}
	return errors.Join(problems...)
}

func (d dashboard) datasourceVariables() []string {
	var names []string
	templating, _ := d.body["templating"].(map[string]any)
	list, _ := templating["list"].([]any)
	for _, entry := range list {
		if variable, _ := entry.(map[string]any); variable["type"] == "datasource" {
			name, _ := variable["name"].(string)
			names = append(names, name)
		}
	}
	return names
}

// reference knows what a dashboard may name.
type reference struct {
	sources    []datasource
	dashboards map[string]string
	variables  []string
}

// walk checks every "datasource" and every link to /d/<uid> below a node.
func (r reference) walk(key string, value any) []error {
	var problems []error
	switch node := value.(type) {
	case map[string]any:
		if key == "datasource" {
			uid, _ := node["uid"].(string)
			kind, _ := node["type"].(string)
			return r.source(uid, kind)
		}
		for childKey, child := range node {
			problems = append(problems, r.walk(childKey, child)...)
		}
	case []any:
		for _, child := range node {
			problems = append(problems, r.walk("", child)...)
		}
	case string:
		if key == "datasource" {
			return r.source(node, "")
		}
		for _, match := range dashboardLink.FindAllStringSubmatch(node, -1) {
			if _, known := r.dashboards[match[1]]; !known {
				problems = append(problems, fmt.Errorf("links to unknown dashboard %q", match[1]))
			}
		}
	}
	return problems
}

func (r reference) source(uid, kind string) []error {
	if slices.Contains(builtInSources, uid) {
		return nil
	}
	if match := variableName.FindStringSubmatch(uid); match != nil && slices.Contains(r.variables, match[1]) {
		return nil
	}
	for _, ds := range r.sources {
		if ds.UID != uid {
			continue
		}
		if kind != "" && kind != ds.Type {
			return []error{fmt.Errorf("data source %q is of type %q, but a panel says %q", uid, ds.Type, kind)}
		}
		return nil
	}
	known := make([]string, 0, len(r.sources))
	for _, ds := range r.sources {
		known = append(known, ds.UID)
	}
	return []error{fmt.Errorf("names unknown data source %q; known: %s", uid, strings.Join(known, ", "))}
}
