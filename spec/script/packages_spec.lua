local needs = require "lunet.run.needs"
local server = require "lunet.peer.server"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local SCRIPT = program.quote(os.getenv "LUNET_SOURCE" .. "/script/packages")

-- A machine of its own. The directories that decide what starts at boot are empty, and no package is installed. Its
-- apt-get(8) only does what the packages of two services do.
local MACHINE = [==[
set -e
place=$1
mkdir "$place/sbin" "$place/bin"
mount --bind /usr/sbin "$place/sbin"
for directory in /usr/sbin /etc/init.d /etc/systemd/system /etc/rc[0-6S].d /var/lib/systemd; do
  mount -t tmpfs none "$directory"
done
ln -s "$place"/sbin/* /usr/sbin/
rm -f /usr/sbin/policy-rc.d

install_service() {
  printf '%s\n' '#!/bin/sh' '### BEGIN INIT INFO' "# Provides: $1" '# Default-Start: 2 3 4 5' \
    '# Default-Stop: 0 1 6' '### END INIT INFO' >/etc/init.d/$1
  chmod +x /etc/init.d/$1
  printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=%s-alias.service\n' \
    "$1" >/etc/systemd/system/$1.service
  DPKG_MAINTSCRIPT_PACKAGE=$1 deb-systemd-helper enable $1.service
  update-rc.d $1 defaults
}
install_service former

export -f install_service
echo '#!/bin/bash
echo "$*" >>PLACE/calls
[[ $* == *" install "* ]] || exit 0
for service in new timer; do install_service $service; done
rm /etc/init.d/timer /etc/rc?.d/*timer # it has a unit alone
/usr/sbin/policy-rc.d; echo "policy $?" >>PLACE/calls
echo trouble; exit ${STATUS-0}' | sed "s,PLACE,$place," >"$place/bin/apt-get"
echo '#!/bin/sh' >"$place/bin/dpkg-query"
chmod +x "$place"/bin/*
status=0
PATH=$place/bin:$PATH "$2" peers sweep || status=$?
find /etc/rc[2-5].d -name 'S*'
find /etc/systemd/system -path '*.wants/*'
ls /usr/sbin/policy-rc.d 2>/dev/null || true
exit $status
]==]

describe("script/packages", function()
  local files, place

  before_each(function()
    files = scratch.open()
    place = files.path
  end)
  after_each(function() files:close() end)

  local function install(status)
    files:write("machine", MACHINE)
    return program.shell(("STATUS=%d exec unshare --user --map-root-user --mount bash %s/machine %s %s"):format(status,
      place, place, SCRIPT))
  end

  local FORMER = "/etc/rc2.d/S01former\n/etc/rc3.d/S01former\n/etc/rc4.d/S01former\n/etc/rc5.d/S01former\n"
    .. "/etc/systemd/system/multi-user.target.wants/former.service\n"

  it("starts no service of what it installs, now or at boot, and leaves those that were there", function()
    local result = install(0)
    assert.same({ 0, FORMER }, { result.status, result.output })
    local file <close> = assert(io.open(place .. "/calls"))
    local calls = file:read "a"
    assert.matches("install .* memcached .* munge .*\npolicy 101\n$", calls) -- of both groups
    assert.equal(1, select(2, calls:gsub(" openssh%-server%f[ \n]", ""))) -- which both have
  end)

  it("says which groups there are", function()
    for _, words in ipairs { "", "run nonsense" } do
      local result = program.shell(("exec %s %s"):format(SCRIPT, words))
      assert.same({ 2, "", "usage: script/packages run|test|peers|npm|sweep|bench|kernels|release ...\n" },
        { result.status, result.output, result.errors })
    end
  end)

  it("starts none if not all could be installed, and says why", function()
    local result = install(100)
    assert.same({ 3, FORMER }, { result.status, result.output })
    assert.matches("\ntrouble\n.*could not install", result.errors)
  end)
end)

-- Prints which of some programs run on the machine's own network as services do: as children of process 1.
local SERVICES = [[
  for program in "$@"; do readlink -f "$program"; done | sort -u >PLACE
  for process in /proc/[0-9]*; do
    program=$(readlink $process/exe) || continue
    [ "$(readlink $process/ns/net)" = "$(readlink /proc/self/ns/net)" ] || continue
    grep -q '^PPid:.1$' $process/status 2>/dev/null && grep -xF "$program" PLACE
  done
]]

describe("the group peers", function()
  it("runs as no service", function()
    local paths, place = {}, os.tmpname()
    for _, name in ipairs(server.names()) do
      local path = needs.path(server.describe(name).program)
      -- An interpreter is no service.
      if path and not path:find "/python3$" and not path:find "/node$" then paths[#paths + 1] = path end
    end
    local command = ("set -- %s\n"):format(table.concat(paths, " ")) .. SERVICES:gsub("PLACE", place)
    local result = program.shell(command)
    os.remove(place)
    assert.equal("", result.errors)
    if result.output ~= "" then return pending("this machine runs " .. result.output:gsub("\n", " ")) end
  end)
end)
