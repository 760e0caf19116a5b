--- Ruby's Net::HTTP. It sends a GET again once.
return {
  packages = { "ruby" },
  program = "ruby",
  version = { "-rnet/http", "-e", "puts Net::HTTP::VERSION" },
  arguments = { "-rnet/http", "-e", [[
    begin
      Net::HTTP.start("ADDRESS", PORT, { OPTION }) { |http| http.get("/") }
    rescue => error
      puts "failed: #{error.class} #{error.message}"
      exit 1
    end
  ]] },
  waits = {
    default = { connect = 60, answer = 120, connections = 2, status = 1, words = "Net::ReadTimeout" },
    connect = { option = "open_timeout: 3", connect = 3, answer = 120 },
    answer = { option = "read_timeout: 3", connect = 60, answer = 6, connections = 2, status = 1,
      words = "Net::ReadTimeout" },
  },
}
