--- The front door to real servers on a host: lunet.peer.process by the name that scripts know.
return require "lunet.peer.process"
