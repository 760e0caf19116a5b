--- Perl's LWP::UserAgent.
return {
  packages = { "libwww-perl" },
  program = "perl",
  version = { "-MLWP::UserAgent", "-e", "print LWP::UserAgent->VERSION" },
  libraries = { ["/usr/share/perl5/LWP/UserAgent.pm"] = "libwww-perl" },
  arguments = { "-MLWP::UserAgent", "-e",
    'print LWP::UserAgent->new(OPTION)->get("http://ADDRESS:PORT/")->status_line, "\n"' },
  waits = {
    default = { connect = 180, answer = 180, status = 0, words = "500 read timeout" },
    answer = { option = "timeout => 3", connect = 3, answer = 3, status = 0, words = "500 read timeout" },
  },
}
