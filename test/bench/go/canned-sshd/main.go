// An SSH server on loopback that answers every probe from a template, for as little work as possible: what a
// benchmark measures is its client.
//
// Every address of 127.0.0.0/8 is a host of its own here. In the templates @NONCE@ is the nonce of the request, @NOW@
// the unix time, @UPTIME@ the seconds since BOOTED_AT, and @HOST@ the last three bytes of the address that was dialled,
// as six hexadecimal digits. A tenth of the hosts at a time, another one every minute, has the flag.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

type cannedHost struct {
	answers  [4][]byte
	bootedAt int64
}

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
	if len(os.Args) != 5 {
		log.Fatal("usage: canned-sshd FOLDER HOST_KEY AUTHORIZED_KEY BOOTED_AT")
	}
	folder := os.Args[1] + "/"
	bootedAt, err := strconv.ParseInt(os.Args[4], 10, 64)
	must(err)
	hostKey, err := ssh.ParsePrivateKey(file(os.Args[2]))
	must(err)
	clientKey, _, _, _, err := ssh.ParseAuthorizedKey(file(os.Args[3]))
	must(err)
	host := &cannedHost{
		answers: [4][]byte{
			file(folder + "answer"), file(folder + "answer-flag"),
			file(folder + "answer-exposure"), file(folder + "answer-exposure-flag"),
		},
		bootedAt: bootedAt,
	}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if bytes.Equal(key.Marshal(), clientKey.Marshal()) {
				return nil, nil
			}
			return nil, fmt.Errorf("unknown key")
		},
	}
	config.AddHostKey(hostKey)
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	must(err)
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		must(err)
		go serve(conn, config, host)
	}
}

func serve(conn net.Conn, config *ssh.ServerConfig, host *cannedHost) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	address := conn.LocalAddr().(*net.TCPAddr).IP.To4()
	for channel := range channels {
		if channel.ChannelType() != "session" {
			channel.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		session, requests, err := channel.Accept()
		if err != nil {
			return
		}
		go func() {
			for request := range requests {
				request.Reply(true, nil)
				if request.Type == "exec" {
					// Whatever else than a shell is run gets no input.
					go host.answer(session, address, bytes.HasSuffix(request.Payload, []byte("/bin/sh")))
				}
			}
		}()
	}
}

// The request's first line is request='nonce=HEX ...'; the program that follows it is not run.
func (canned *cannedHost) answer(session ssh.Channel, address net.IP, hasInput bool) {
	var line []byte
	if hasInput {
		reader := bufio.NewReader(session)
		line, _ = reader.ReadBytes('\n')
		io.Copy(io.Discard, reader)
	}
	nonce := []byte("0")
	if at := bytes.Index(line, []byte("nonce=")); at >= 0 {
		nonce = bytes.TrimRight(bytes.SplitN(line[at+6:], []byte(" "), 2)[0], "'\n")
	}
	now := time.Now()
	host := int(address[1])<<16 | int(address[2])<<8 | int(address[3])
	which := 0
	if (host+int(now.Unix()/60))%10 == 0 {
		which = 1
	}
	if bytes.Contains(line, []byte(" exposure")) {
		which += 2
	}
	text := bytes.ReplaceAll(canned.answers[which], []byte("@NONCE@"), nonce)
	text = bytes.ReplaceAll(text, []byte("@NOW@"), []byte(strconv.FormatInt(now.Unix(), 10)))
	uptime := strconv.FormatInt(now.Unix()-canned.bootedAt, 10)
	text = bytes.ReplaceAll(text, []byte("@UPTIME@"), []byte(uptime))
	text = bytes.ReplaceAll(text, []byte("@HOST@"), []byte(fmt.Sprintf("%06x", host)))
	session.Write(text)
	session.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
	session.Close()
}
