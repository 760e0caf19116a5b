--- Git's daemon, which has a process for each client.
-- A line of its protocol, which begins with its length (gitprotocol-common(5)).
local function line(text) return ("%04x%s"):format(#text + 4, text) end

return {
  packages = { "git" },
  program = "git",
  version = { "--version" },
  limit = function(n) return "--max-connections=" .. n end,
  arguments = function(running)
    return { "daemon", "--verbose", "--port=" .. running.port, "--listen=0.0.0.0", "--informative-errors",
      "--max-connections=" .. running.clients, "--base-path=" .. running.place.path, running.place.path }
  end,
  ready = "Ready to rumble",
  workers = "accept", -- the first process is git itself, which runs the daemon
  holds = "",
  request = function(word) return line(("git-upload-pack /%s\0host=server\0"):format(word)) end,
  answer = "ERR ",
  evidence = function(running)
    local words = {}
    for word in running:log():gmatch "Request upload%-pack for '/(%S+)'" do words[#words + 1] = word end
    return table.concat(words, "\n")
  end,
  logged = { "(Too many children), dropping connection" },
}
