// A real API server for custom resources with an embedded etcd, which the simulator is compared with.
//
// It runs Kubernetes' apiextensions server without the rest of a cluster: no namespaces, no garbage collector, no
// admission. `make conversations` builds and runs it. The simulator and its tests need neither Go nor this program.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	return listener.Addr().String()
}

func startEtcd(folder string) string {
	config := embed.NewConfig()
	config.Dir = filepath.Join(folder, "etcd")
	config.LogLevel = "error"
	client := url.URL{Scheme: "http", Host: freeAddress()}
	peer := url.URL{Scheme: "http", Host: freeAddress()}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	check(err)
	<-etcd.Server.ReadyNotify()
	return client.String()
}

func writeKubeconfig(path, host, token string, authority []byte) {
	config := clientcmdapi.NewConfig()
	config.Clusters["real"] = &clientcmdapi.Cluster{
		Server: host, CertificateAuthorityData: authority, TLSServerName: "apiserver-loopback-client",
	}
	config.AuthInfos["real"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["real"] = &clientcmdapi.Context{Cluster: "real", AuthInfo: "real", Namespace: "default"}
	config.CurrentContext = "real"
	check(clientcmd.WriteToFile(*config, path))
}

func main() {
	folder := flag.String("folder", "", "where everything is kept")
	kubeconfig := flag.String("kubeconfig", "", "written once the server is about to answer")
	flag.Parse()
	// The server requires the kubeconfig of a cluster to delegate to; there is none, so point it nowhere.
	nowhere := filepath.Join(*folder, "nowhere.yaml")
	writeKubeconfig(nowhere, "https://127.0.0.1:1", "", nil)

	server := options.NewCustomResourceDefinitionsServerOptions(os.Stdout, os.Stderr)
	flags := pflag.NewFlagSet("server", pflag.ExitOnError)
	server.AddFlags(flags)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	server.RecommendedOptions.SecureServing.Listener = listener
	server.RecommendedOptions.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	check(flags.Parse([]string{
		"--etcd-servers", startEtcd(*folder), "--etcd-prefix", "real", "--cert-dir", *folder,
		"--authentication-skip-lookup", "--authentication-kubeconfig", nowhere,
		"--authorization-kubeconfig", nowhere, "--kubeconfig", nowhere,
		"--disable-admission-plugins", "NamespaceLifecycle,MutatingAdmissionWebhook,ValidatingAdmissionWebhook," +
			"ValidatingAdmissionPolicy,MutatingAdmissionPolicy",
	}))
	check(server.Complete())
	check(server.Validate())
	config, err := server.Config()
	check(err)
	built, err := config.Complete().New(genericapiserver.NewEmptyDelegate())
	check(err)
	loopback := config.GenericConfig.LoopbackClientConfig
	writeKubeconfig(*kubeconfig, "https://"+listener.Addr().String(), loopback.BearerToken, loopback.CAData)
	check(built.GenericAPIServer.PrepareRun().RunWithContext(genericapiserver.SetupSignalContext()))
}
