--- The container that this process runs in, and the options that let it do more there. Each kind of container leaves a
--- file by which programs know it.
local container = {}

-- filter: against the filter of system calls; settings: against a read-only /proc/sys; power, networks: against missing
-- capabilities. The last row is for everything else, such as a service of systemd's (systemd.exec(5)).
local KINDS <const> = {
  { file = "/.dockerenv", filter = "docker run --security-opt seccomp=unconfined ...",
    settings = "docker run --security-opt systempaths=unconfined ...", power = "docker run --cap-add SYS_ADMIN ...",
    networks = "docker run --cap-add NET_ADMIN ..." },
  { file = "/run/.containerenv", filter = "podman run --security-opt seccomp=unconfined ...",
    settings = "podman run --security-opt unmask=ALL ...", power = "podman run --cap-add SYS_ADMIN ...",
    networks = "podman run --cap-add NET_ADMIN ..." },
  { filter = "systemd-run --property RestrictNamespaces=no ..., or whatever else starts it without the filter",
    settings = "systemd-run --property ProtectKernelTunables=no ..., or whatever else mounts /proc/sys writable",
    power = "docker run --cap-add SYS_ADMIN ...", networks = "docker run --cap-add NET_ADMIN ..." },
}

local function is_there(path)
  local file <close> = io.open(path)
  return file ~= nil
end

--- The command that starts this process with more rights.
---@param what "filter"|"settings"|"power"|"networks" against which refusal
---@return string
function container.command(what)
  for _, kind in ipairs(KINDS) do
    if not kind.file or is_there(kind.file) then return kind[what] end
  end
end

--- Why no setting can be written if the kernel says EROFS.
---@return string why
---@return string command that changes it
function container.read_only()
  return "/proc/sys is mounted read-only, as in a container", container.command "settings"
end

return container
