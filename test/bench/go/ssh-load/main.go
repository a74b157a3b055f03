// The least that a probe takes in Go: dial, shake hands with the host's key checked, log in, run one command with its
// input, read the answer. Nothing is parsed. For each line with a number on standard input it makes that many probes,
// and prints the processor and wall clock seconds they took.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func file(name string) []byte {
	bytes, err := os.ReadFile(name)
	must(err)
	return bytes
}

func main() {
	if len(os.Args) != 9 {
		log.Fatal("usage: ssh-load fresh|keep ADDRESSES USER KEY HOST_KEY INPUT KEY_EXCHANGE CONCURRENCY")
	}
	keep := os.Args[1] == "keep"
	addresses := strings.Fields(string(file(os.Args[2])))
	signer, err := ssh.ParsePrivateKey(file(os.Args[4]))
	must(err)
	hostKey, _, _, _, err := ssh.ParseAuthorizedKey(file(os.Args[5]))
	must(err)
	input := file(os.Args[6])
	concurrency, err := strconv.Atoi(os.Args[8])
	must(err)
	config := &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: []string{os.Args[7]}, Ciphers: []string{"aes128-gcm@openssh.com"}},
		User:              os.Args[3],
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   ssh.FixedHostKey(hostKey),
		HostKeyAlgorithms: []string{hostKey.Type()},
		Timeout:           10 * time.Second,
	}
	kept := make([]*ssh.Client, len(addresses))
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		count, err := strconv.Atoi(scanner.Text())
		must(err)
		begun, cpu := time.Now(), processorSeconds()
		work := make(chan int)
		var group sync.WaitGroup
		for i := 0; i < concurrency; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for n := range work {
					at := n % len(addresses)
					client := kept[at]
					if client == nil {
						dialled, err := ssh.Dial("tcp", addresses[at], config)
						must(err)
						client = dialled
					}
					probe(client, input)
					if keep {
						kept[at] = client
					} else {
						client.Close()
					}
				}
			}()
		}
		for n := 0; n < count; n++ {
			work <- n
		}
		close(work)
		group.Wait()
		fmt.Printf("{\"processorSeconds\":%f,\"elapsedSeconds\":%f}\n", processorSeconds()-cpu, time.Since(begun).Seconds())
	}
}

func probe(client *ssh.Client, input []byte) {
	session, err := client.NewSession()
	must(err)
	defer session.Close()
	session.Stdin = bytes.NewReader(input)
	output, err := session.StdoutPipe()
	must(err)
	must(session.Start("/bin/sh"))
	answer, err := io.ReadAll(output)
	must(err)
	must(session.Wait())
	if !bytes.Contains(answer, []byte(" done\n")) {
		log.Fatalf("the answer is not whole: %q", answer)
	}
}

func processorSeconds() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}
