--- PHP's file_get_contents. One setting bounds each step.
return {
  packages = { "php-cli" },
  program = "php",
  version = { "-n", "--version" },
  arguments = { "-n", "-d", "display_errors=1", "-d", "html_errors=0", "OPTION", "-r",
    'file_get_contents("http://ADDRESS:PORT/");' },
  waits = {
    default = { connect = 60, answer = 60, status = 0, words = "HTTP request failed!" },
    answer = { option = "-d default_socket_timeout=3", connect = 3, answer = 3, status = 0,
      words = "HTTP request failed!" },
  },
}
