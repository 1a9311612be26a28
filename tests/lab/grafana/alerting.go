package main

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// emptyReceiver is the only contact point that a new Grafana has, from 12.4 on.
const emptyReceiver = "empty"

// alertingFile is what a provisioning file says of who is told.
type alertingFile struct {
	ContactPoints []struct {
		Name string `yaml:"name"`
	} `yaml:"contactPoints"`
	Policies []policy `yaml:"policies"`
	Groups   []struct {
		Rules []struct {
			Title    string `yaml:"title"`
			Settings struct {
				Receiver string `yaml:"receiver"`
			} `yaml:"notification_settings"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

type policy struct {
	Receiver string   `yaml:"receiver"`
	Routes   []policy `yaml:"routes"`
}

// checkAlerting refuses, as Grafana does at its start, to tell a contact point that nobody has defined.
func checkAlerting(folder string) error {
	known := map[string]bool{emptyReceiver: true}
	var named []string
	err := eachYAML(folder, func(path string) error {
		var file alertingFile
		if err := decodeLoosely(path, &file); err != nil {
			return err
		}
		for _, point := range file.ContactPoints {
			known[point.Name] = true
		}
		for _, root := range file.Policies {
			if root.Receiver == "" {
				return fmt.Errorf("a policy without a receiver")
			}
			named = append(named, root.receivers()...)
		}
		for _, group := range file.Groups {
			for _, rule := range group.Rules {
				if rule.Settings.Receiver != "" {
					named = append(named, rule.Settings.Receiver)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range named {
		if !known[name] {
			return fmt.Errorf("receiver '%s' does not exist", name)
		}
	}
	return nil
}

func (p policy) receivers() []string {
	var found []string
	if p.Receiver != "" {
		found = append(found, p.Receiver)
	}
	for _, route := range p.Routes {
		found = append(found, route.receivers()...)
	}
	return found
}

func decodeLoosely(path string, into any) error {
	var tree yaml.Node
	if err := decodeProvisioning(path, &tree); err != nil {
		return err
	}
	return tree.Decode(into)
}
