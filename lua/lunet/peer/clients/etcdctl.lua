--- etcdctl, a client of Go's gRPC library.
return {
  packages = { "etcd-client" },
  program = "etcdctl",
  version = { "version" },
  environment = { ETCDCTL_API = "3" },
  arguments = { "--endpoints=ADDRESS:PORT", "OPTION", "get", "word" },
  waits = {
    default = { connect = 5, answer = 5 },
    answer = { option = "--command-timeout=3s", connect = 3, answer = 3 },
  },
}
