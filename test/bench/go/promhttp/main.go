// The gauges of a fleet as a Go exporter would keep them: one GaugeVec a family, served by promhttp. It reads the series
// from a file, serves them, and for each line "change" on standard input sets the next tenth of the hosts anew.
// It prints its processor seconds after each line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type series struct {
	Host   int
	Labels map[string]string
	Value  float64
}

type family struct {
	Name   string
	Help   string
	Series []series
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	var families []family
	must(json.Unmarshal(text, &families))
	registry := prometheus.NewRegistry()
	var vectors []*prometheus.GaugeVec
	for _, family := range families {
		var names []string
		for name := range family.Series[0].Labels {
			names = append(names, name)
		}
		vector := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: family.Name, Help: family.Help}, names)
		registry.MustRegister(vector)
		for _, one := range family.Series {
			vector.With(one.Labels).Set(one.Value)
		}
		vectors = append(vectors, vector)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true}))
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, nil)
	scanner := bufio.NewScanner(os.Stdin)
	for round := 0; scanner.Scan(); {
		if scanner.Text() == "change" {
			for at, family := range families {
				for _, one := range family.Series {
					if one.Host%10 == round%10 {
						vectors[at].With(one.Labels).Set(one.Value + float64(round+1))
					}
				}
			}
			round++
		}
		var usage syscall.Rusage
		must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		fmt.Printf("{\"processorSeconds\":%f}\n", time.Duration(usage.Utime.Nano()+usage.Stime.Nano()).Seconds())
	}
}
