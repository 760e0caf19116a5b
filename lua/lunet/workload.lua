--- The front door to clients by the hundred: lunet.load.workload by the name that scripts know.
return require "lunet.load.workload"
