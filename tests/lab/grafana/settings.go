package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// settings is what this server takes from Grafana's environment (GF_SECTION_KEY, GF_SECTION_KEY__FILE) and its
// configuration file.
type settings struct {
	listen       string
	dataDir      string
	homeDir      string
	provisioning string
	homeFile     string
	adminUser    string
	adminPass    string
	secretKey    string
	logFormat    string
	signUp       bool
	metrics      bool
	database     databaseSettings
	pluginUpdate bool
}

type databaseSettings struct {
	kind string // sqlite3 or postgres
	dsn  string
	name string // for messages, without the password
}

// environment reads GF_* variables, or what the configuration file says in place of one that is not set, and remembers
// every mistake, so that all are reported at once.
type environment struct {
	file     map[string]string
	mistakes []string
}

func (e *environment) mistake(format string, args ...any) {
	e.mistakes = append(e.mistakes, fmt.Sprintf(format, args...))
}

// text returns GF_<key>, or what stands in the file that GF_<key>__FILE names, or the default.
func (e *environment) text(key, otherwise string) string {
	name := "GF_" + key
	value, set := os.LookupEnv(name)
	file, fromFile := os.LookupEnv(name + "__FILE")
	switch {
	case set && fromFile:
		e.mistake("both %s and %s__FILE are set (but are exclusive)", name, name)
		return otherwise
	case fromFile:
		content, err := os.ReadFile(file)
		if err != nil {
			e.mistake("%s__FILE: %v", name, err)
			return otherwise
		}
		return strings.TrimRight(string(content), "\r\n")
	case set && value != "":
		return e.expanded(name, value)
	}
	if value := e.file[name]; value != "" {
		return e.expanded(name, value)
	}
	return otherwise
}

// expanded replaces references to files. Grafana does so too, but encrypts with GF_SECURITY_SECRET_KEY as it stands.
func (e *environment) expanded(name, value string) string {
	if os.Getenv(name) != "" && name == "GF_SECURITY_SECRET_KEY" && fileReference.MatchString(value) {
		e.mistake("%s=%s: Grafana takes this text itself for its key; write it into the configuration file", name, value)
		return value
	}
	replaced, err := withFiles(value)
	if err != nil {
		e.mistake("%s: %v", name, err)
	}
	return replaced
}

var (
	iniSection = regexp.MustCompile(`^\[([^\]]+)\]$`)
	iniKey     = regexp.MustCompile(`^([A-Za-z0-9_.-]+)\s*=\s*(.*)$`)
	asVariable = strings.NewReplacer(".", "_", "-", "_")
)

// readFile reads a configuration file under the names of its variables; Grafana does not start without the one that it
// is told of.
func (e *environment) readFile(path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		e.mistake("failed to parse %q: %v", path, err)
	}
	e.file = map[string]string{}
	section := ""
	for number, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		key := iniKey.FindStringSubmatch(line)
		switch header := iniSection.FindStringSubmatch(line); {
		case line == "" || strings.HasPrefix(line, ";") || strings.HasPrefix(line, "#"):
		case header != nil:
			section = header[1]
		case key == nil:
			e.mistake("%s, line %d: neither [section] nor key = value", path, number+1)
		default:
			name := "GF_" + strings.ToUpper(asVariable.Replace(section)) + "_" + strings.ToUpper(asVariable.Replace(key[1]))
			e.file[name] = key[2]
		}
	}
	for name := range e.file {
		e.text(strings.TrimPrefix(name, "GF_"), "") // Grafana reads every file that a value names
	}
}

func (e *environment) flag(key string, otherwise bool) bool {
	switch value := strings.ToLower(e.text(key, fmt.Sprint(otherwise))); value {
	case "true", "1":
		return true
	case "false", "0":
		return false
	default:
		e.mistake("GF_%s=%s is not a boolean; allowed: true, false", key, value)
		return otherwise
	}
}

// loadSettings reads the environment and a configuration file, none when its path is empty.
func loadSettings(file string) (settings, error) {
	env := &environment{}
	if file != "" {
		env.readFile(file)
	}
	s := settings{
		listen:       net.JoinHostPort(env.text("SERVER_HTTP_ADDR", ""), env.text("SERVER_HTTP_PORT", "3000")),
		dataDir:      env.text("PATHS_DATA", "/var/lib/grafana"),
		homeDir:      env.text("PATHS_HOME", "/usr/share/grafana"),
		provisioning: env.text("PATHS_PROVISIONING", "/etc/grafana/provisioning"),
		homeFile:     env.text("DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", ""),
		adminUser:    env.text("SECURITY_ADMIN_USER", "admin"),
		adminPass:    env.text("SECURITY_ADMIN_PASSWORD", ""),
		secretKey:    env.text("SECURITY_SECRET_KEY", ""),
		logFormat:    env.text("LOG_CONSOLE_FORMAT", "console"),
		signUp:       env.flag("USERS_ALLOW_SIGN_UP", false),
		metrics:      env.flag("METRICS_ENABLED", true),
	}
	preinstallOff := env.flag("PLUGINS_PREINSTALL_DISABLED", false)
	s.pluginUpdate = env.flag("PLUGINS_PREINSTALL_AUTO_UPDATE", true) && !preinstallOff
	s.database = env.database(s.dataDir)
	if env.flag("AUTH_ANONYMOUS_ENABLED", false) {
		env.mistake("GF_AUTH_ANONYMOUS_ENABLED=true: this stand-in never serves anyone who has not signed in")
	}
	switch s.adminPass {
	case "":
		env.mistake("the admin password is missing: set GF_SECURITY_ADMIN_PASSWORD or GF_SECURITY_ADMIN_PASSWORD__FILE (Grafana itself would take \"admin\")")
	case "admin":
		env.mistake("GF_SECURITY_ADMIN_PASSWORD is Grafana's public default: set another one")
	}
	if s.secretKey == "" {
		env.mistake("GF_SECURITY_SECRET_KEY is missing (Grafana itself would take its public default)")
	}
	if len(env.mistakes) > 0 {
		sort.Strings(env.mistakes)
		env.mistakes = slices.Compact(env.mistakes)
		return s, errors.New("settings: " + strings.Join(env.mistakes, "; "))
	}
	return s, nil
}

func (e *environment) database(dataDir string) databaseSettings {
	switch kind := e.text("DATABASE_TYPE", "sqlite3"); kind {
	case "sqlite3":
		path := e.text("DATABASE_PATH", "grafana.db")
		if !filepath.IsAbs(path) {
			path = filepath.Join(dataDir, path)
		}
		options := "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate"
		return databaseSettings{kind: kind, dsn: "file:" + path + options, name: path}
	case "postgres":
		return e.postgres()
	default:
		e.mistake("GF_DATABASE_TYPE=%s is not supported here; allowed: sqlite3, postgres", kind)
		return databaseSettings{kind: kind}
	}
}

// postgres gives the driver the same text as Grafana, which writes every value as it stands: a password with a space, a
// backslash or a quote is not what the database gets, for Grafana either.
func (e *environment) postgres() databaseSettings {
	address := e.text("DATABASE_HOST", "127.0.0.1:5432")
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, "5432"
	}
	name := e.text("DATABASE_NAME", "grafana")
	values := [][2]string{
		{"user", e.text("DATABASE_USER", "root")},
		{"host", host},
		{"port", port},
		{"dbname", name},
		{"sslmode", e.text("DATABASE_SSL_MODE", "disable")},
		{"sslrootcert", e.text("DATABASE_CA_CERT_PATH", "''")},
		{"password", e.text("DATABASE_PASSWORD", "''")},
		{"connect_timeout", "5"},
	}
	var dsn strings.Builder
	for _, value := range values {
		fmt.Fprintf(&dsn, "%s=%s ", value[0], value[1])
	}
	return databaseSettings{kind: "postgres", dsn: dsn.String(), name: fmt.Sprintf("postgres://%s/%s", net.JoinHostPort(host, port), name)}
}
