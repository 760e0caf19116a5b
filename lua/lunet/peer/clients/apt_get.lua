--- apt-get update of one source. It asks for InRelease and for Release, and each of them again three times.
return {
  packages = { "apt" },
  program = "apt-get",
  version = { "--version" },
  files = { ["sources.list"] = "deb [trusted=yes] http://ADDRESS:PORT/ stable main\n",
    ["apt.conf"] = 'Dir::Etc::SourceList "PLACE/sources.list";\nDir::Etc::SourceParts "/dev/null";\n'
      .. 'Dir::State "PLACE/state";\nDir::Cache "PLACE/cache";\nAPT::Sandbox::User "";\n' },
  before = { { "mkdir", "-p", "state/lists/partial", "cache/archives/partial" } },
  environment = { APT_CONFIG = "PLACE/apt.conf" },
  arguments = { "OPTION", "update" },
  waits = {
    default = { connect = 37, answer = 247, connections = 8, status = 0,
      words = "Some index files failed to download" },
    answer = { option = "-o Acquire::http::Timeout=3 -o Acquire::Retries=0", connect = 3, answer = 6,
      connections = 2, status = 0, words = "Some index files failed to download" },
  },
}
