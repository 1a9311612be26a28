// Command tempo runs Tempo with a message codec of its own, registered after all others.
//
// The packages of this Tempo register two codecs under one name and count on the order in which Go initialises
// them. Go 1.21 changed that order, and with the other codec Tempo panics at its first span.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/drone/envsubst"
	"github.com/grafana/tempo/cmd/tempo/app"
	"github.com/grafana/tempo/pkg/util/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
	"gopkg.in/yaml.v2"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tempo:", err)
		os.Exit(1)
	}
}

// run reads the command line and the file it names, as Tempo's own main does: a flag wins over the file.
func run() error {
	encoding.RegisterCodec(codec{})
	prometheus.MustRegister(version.NewCollector("tempo"))

	config := &app.Config{}
	file := flag.String("config.file", "", "configuration file, YAML")
	expand := flag.Bool("config.expand-env", false, "replace ${NAME} in the file by the environment's value")
	verify := flag.Bool("config.verify", false, "read the configuration and end")
	show := flag.Bool("version", false, "print the version and end")
	config.RegisterFlagsAndApplyDefaults("", flag.CommandLine)
	flag.Parse()

	if *show {
		fmt.Println(version.Print("tempo"))
		return nil
	}
	if *file != "" {
		if err := read(*file, *expand, config); err != nil {
			return err
		}
		flag.Parse()
	}
	if *verify {
		return nil
	}
	log.InitLogger(&config.Server)
	tempo, err := app.New(*config)
	if err != nil {
		return err
	}
	return tempo.Run()
}

func read(file string, expand bool, config *app.Config) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := string(content)
	if expand {
		if text, err = envsubst.EvalEnv(text); err != nil {
			return err
		}
	}
	older, err := inOlderWords([]byte(text))
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(older, config)
}

// flat names the limits of this Tempo by their place in the configuration of 2.10, under overrides.defaults.
var flat = map[string]map[string]string{
	"ingestion": {
		"rate_limit_bytes":    "ingestion_rate_limit_bytes",
		"burst_size_bytes":    "ingestion_burst_size_bytes",
		"max_traces_per_user": "max_traces_per_user",
	},
	"global": {"max_bytes_per_trace": "max_bytes_per_trace"},
	"metrics_generator": {
		"processors":          "metrics_generator_processors",
		"collection_interval": "metrics_generator_collection_interval",
		"max_active_series":   "metrics_generator_max_active_series",
	},
}

// inOlderWords turns what 2.10 calls otherwise into the words of this Tempo, and leaves out what it cannot do: hand
// over its blocks at the end, say how long to wait, and cut off long attributes.
func inOlderWords(text []byte) ([]byte, error) {
	document := map[string]map[string]any{}
	var rest yaml.MapSlice
	if err := yaml.Unmarshal(text, &rest); err != nil {
		return nil, err
	}
	for index, item := range rest {
		switch item.Key {
		case "overrides", "ingester", "distributor":
		default:
			continue
		}
		section, err := yaml.Marshal(item.Value)
		if err != nil {
			return nil, err
		}
		found := map[string]any{}
		if err := yaml.Unmarshal(section, &found); err != nil {
			return nil, err
		}
		document[item.Key.(string)] = found
		rest[index].Value = found
	}
	delete(document["ingester"], "flush_all_on_shutdown")
	delete(document["distributor"], "retry_after_on_resource_exhausted")
	delete(document["distributor"], "max_attribute_bytes")
	if defaults, nested := document["overrides"]["defaults"].(map[any]any); nested {
		delete(document["overrides"], "defaults")
		if err := flatten(defaults, document["overrides"]); err != nil {
			return nil, err
		}
	}
	return yaml.Marshal(rest)
}

func flatten(defaults map[any]any, into map[string]any) error {
	for group, limits := range defaults {
		for name, value := range limits.(map[any]any) {
			known, is := flat[group.(string)][name.(string)]
			if !is {
				return fmt.Errorf("overrides.defaults.%v.%v has no counterpart in this Tempo", group, name)
			}
			into[known] = value
		}
	}
	return nil
}

// codec lets messages that know how to marshal themselves do so.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message any) ([]byte, error) {
	if own, ok := message.(interface{ Marshal() ([]byte, error) }); ok {
		return own.Marshal()
	}
	return proto.Marshal(message.(proto.Message))
}

func (codec) Unmarshal(data []byte, message any) error {
	if own, ok := message.(interface{ Unmarshal([]byte) error }); ok {
		return own.Unmarshal(data)
	}
	return proto.Unmarshal(data, message.(proto.Message))
}
