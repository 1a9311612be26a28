package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// datasource is one entry of provisioning/datasources/*.yaml. Keys that Grafana does not know are refused,
// because Grafana ignores them silently.
type datasource struct {
	Name           string            `yaml:"name" json:"name"`
	UID            string            `yaml:"uid" json:"uid"`
	Type           string            `yaml:"type" json:"type"`
	Access         string            `yaml:"access" json:"access"`
	URL            string            `yaml:"url" json:"url"`
	OrgID          int               `yaml:"orgId" json:"orgId"`
	User           string            `yaml:"user" json:"user"`
	Database       string            `yaml:"database" json:"database"`
	BasicAuth      bool              `yaml:"basicAuth" json:"basicAuth"`
	BasicAuthUser  string            `yaml:"basicAuthUser" json:"basicAuthUser"`
	WithCreds      bool              `yaml:"withCredentials" json:"withCredentials"`
	IsDefault      bool              `yaml:"isDefault" json:"isDefault"`
	JSONData       map[string]any    `yaml:"jsonData" json:"jsonData"`
	SecureJSONData map[string]string `yaml:"secureJsonData" json:"-"`
	Correlations   []map[string]any  `yaml:"correlations" json:"-"`
	Version        int               `yaml:"version" json:"version"`
	Editable       bool              `yaml:"editable" json:"-"`
	ReadOnly       bool              `yaml:"-" json:"readOnly"`
	ID             int               `yaml:"-" json:"id"`
}

type datasourceFile struct {
	APIVersion        int          `yaml:"apiVersion"`
	Prune             bool         `yaml:"prune"`
	Datasources       []datasource `yaml:"datasources"`
	DeleteDatasources []struct {
		Name  string `yaml:"name"`
		OrgID int    `yaml:"orgId"`
	} `yaml:"deleteDatasources"`
}

// headers gives what is added to each question: "httpHeaderName1" with the secret "httpHeaderValue1", and so on.
func (ds datasource) headers() http.Header {
	found := http.Header{}
	for key, name := range ds.JSONData {
		number, is := strings.CutPrefix(key, "httpHeaderName")
		if text, isText := name.(string); is && isText {
			found.Set(text, ds.SecureJSONData["httpHeaderValue"+number])
		}
	}
	return found
}

// Types whose plugin comes with Grafana 13.
var bundledTypes = []string{"alertmanager", "grafana-postgresql-datasource", "grafana-pyroscope-datasource", "jaeger", "loki", "prometheus", "tempo", "zipkin"}

// loadDatasources reads the folder as Grafana does and returns the data sources by uid, in file order.
func loadDatasources(folder string) ([]datasource, error) {
	var all []datasource
	err := eachYAML(folder, func(path string) error {
		var file datasourceFile
		if err := decodeProvisioning(path, &file); err != nil {
			return err
		}
		all = append(all, file.Datasources...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, checkDatasources(all)
}

func checkDatasources(all []datasource) error {
	var problems []error
	uids, names, defaults := map[string]bool{}, map[string]bool{}, 0
	for i := range all {
		ds := &all[i]
		ds.ID, ds.OrgID, ds.ReadOnly = i+1, max(ds.OrgID, 1), !ds.Editable
		if ds.Access == "" {
			ds.Access = "proxy"
		}
		problems = append(problems, checkDatasource(*ds)...)
		if uids[ds.UID] {
			problems = append(problems, fmt.Errorf("data source uid %q is used twice", ds.UID))
		}
		if names[ds.Name] {
			problems = append(problems, fmt.Errorf("data source name %q is used twice", ds.Name))
		}
		if ds.IsDefault {
			defaults++
		}
		uids[ds.UID], names[ds.Name] = true, true
	}
	if defaults > 1 {
		problems = append(problems, errors.New("datasource.yaml config is invalid. Only one datasource per organization can be marked as default"))
	}
	for _, ds := range all {
		for _, uid := range linkedUIDs(ds.JSONData) {
			if !uids[uid] {
				problems = append(problems, fmt.Errorf("data source %q links to unknown data source uid %q", ds.Name, uid))
			}
		}
	}
	return errors.Join(problems...)
}

func checkDatasource(ds datasource) []error {
	var problems []error
	if ds.Name == "" || ds.UID == "" {
		problems = append(problems, fmt.Errorf("data source %q (uid %q) needs a name and a fixed uid", ds.Name, ds.UID))
	}
	if !slices.Contains(bundledTypes, ds.Type) {
		problems = append(problems, fmt.Errorf("data source %q has type %q, for which there is no plugin; allowed: %s",
			ds.Name, ds.Type, strings.Join(bundledTypes, ", ")))
	}
	if address, err := url.Parse(ds.URL); err != nil || address.Host == "" {
		problems = append(problems, fmt.Errorf("data source %q has url %q, which is not an http address", ds.Name, ds.URL))
	}
	return problems
}

// linkedUIDs finds every "datasourceUid" of a data source's jsonData (trace to logs, exemplars, derived fields ...).
func linkedUIDs(value any) []string {
	var found []string
	switch node := value.(type) {
	case map[string]any:
		for key, child := range node {
			if uid, isText := child.(string); isText && strings.EqualFold(key, "datasourceUid") {
				found = append(found, uid)
				continue
			}
			found = append(found, linkedUIDs(child)...)
		}
	case []any:
		for _, child := range node {
			found = append(found, linkedUIDs(child)...)
		}
	}
	return found
}

// eachYAML visits the *.yaml and *.yml files of one folder, not of folders below it. A missing folder is empty.
func eachYAML(folder string, visit func(path string) error) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if extension := filepath.Ext(entry.Name()); extension != ".yaml" && extension != ".yml" {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		if err := visit(path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func decodeProvisioning(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(content, &tree); err != nil {
		return err
	}
	if err := interpolate(&tree); err != nil {
		return err
	}
	expanded, err := yaml.Marshal(&tree)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(expanded))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// fileReference is how a value says that it is in a file.
var fileReference = regexp.MustCompile(`\$__file\{([^}]+)\}`)

// interpolate replaces $NAME, ${NAME} and $__file{PATH} in values and "$$" by a dollar, as Grafana does. Grafana turns an unknown
// name into nothing, which silently breaks links such as "${__value.raw}"; here that is an error.
func interpolate(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!str" {
		var unknown []string
		parts := strings.Split(node.Value, "$$")
		for i, part := range parts {
			part, err := withFiles(part)
			if err != nil {
				return fmt.Errorf("line %d: %w", node.Line, err)
			}
			parts[i] = os.Expand(part, func(name string) string {
				value, set := os.LookupEnv(name)
				if !set {
					unknown = append(unknown, name)
				}
				return value
			})
		}
		if len(unknown) > 0 {
			return fmt.Errorf("line %d: %q names the environment variable %s, which is not set (write $$ for a dollar sign)",
				node.Line, node.Value, strings.Join(unknown, ", "))
		}
		node.Value = strings.Join(parts, "$")
	}
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			continue // a key
		}
		if err := interpolate(child); err != nil {
			return err
		}
	}
	return nil
}

// withFiles replaces each reference to a file by what the file holds.
func withFiles(value string) (string, error) {
	var failed error
	replaced := fileReference.ReplaceAllStringFunc(value, func(reference string) string {
		content, err := os.ReadFile(fileReference.FindStringSubmatch(reference)[1])
		if err != nil {
			failed = err
		}
		return strings.TrimSpace(string(content))
	})
	return replaced, failed
}
