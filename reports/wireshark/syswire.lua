-- What syswire wrote into the packet comments of a capture, as fields to filter by.
-- Reads comments only: opens no file, runs no program. Wireshark and tshark 4.0 and later (Lua 5.2 to 5.4).

local syswire = Proto("syswire", "syswire")
local f = syswire.fields

f.finding = ProtoField.string("syswire.finding", "Finding", base.NONE, "Id of a finding, as in the report")
f.severity = ProtoField.string("syswire.severity", "Severity", base.NONE, "critical, high, medium, low or info")
f.text = ProtoField.string("syswire.text", "Text", base.NONE, "The finding in a few words")
f.more = ProtoField.uint32("syswire.more", "Findings not named", base.DEC, nil, 0, "Comments name twenty a frame")
f.stream = ProtoField.uint32("syswire.stream", "Stream", base.DEC, nil, 0, "Number of the stream in the annotations")
f.process = ProtoField.string("syswire.process", "Process", base.NONE, "Name of a process at either end")
f.pid = ProtoField.uint32("syswire.pid", "Process id", base.DEC, nil, 0, "Process id at either end")
f.user = ProtoField.string("syswire.user", "User", base.NONE, "User of a process at either end")
f.client_process = ProtoField.string("syswire.client.process", "Client process")
f.client_pid = ProtoField.uint32("syswire.client.pid", "Client process id")
f.server_process = ProtoField.string("syswire.server.process", "Server process")
f.server_pid = ProtoField.uint32("syswire.server.pid", "Server process id")

local comment = Field.new("frame.comment")
local number_of = { tcp = Field.new("tcp.stream"), udp = Field.new("udp.stream") }

-- Of every conversation of Wireshark's: {frame = first frame, stream = , client = , server = }, in order of frames.
-- Comments on processes stand on a stream's first frame only; one UDP conversation may hold several streams.
local conversations = {}

function syswire.init()
    conversations = {}
end

local function key()
    for name, extract in pairs(number_of) do
        local all = { extract() }
        local last = all[#all] -- the innermost, should ICMP quote another
        if last and #all == 1 then
            return name .. tostring(last.value)
        end
    end
end

-- The end that a comment tells of. A command line stands last, so what a process wrote there changes nothing.
local function ending(text)
    local name, pid, user = text:match("^(.-) pid=(%d+) tid=%-?%d+ user=(%S+)")
    pid = tonumber(pid)
    if name and pid and pid <= 4294967295 then
        return { name = name, pid = pid, user = user }
    end
end

-- What the comments of one frame say: the stream that begins here (or nil), and findings.
local function read()
    local begins, findings, more = nil, {}, 0
    for _, info in ipairs({ comment() }) do
        local text = tostring(info.value)
        local stream = text:match("^syswire stream (%d+) %(")
        local id, severity, what = text:match("^syswire (SW%-%d+) (%l+): (.*)$")
        local side, rest = text:match("^(%l+): (.*)$")
        if stream and tonumber(stream) <= 4294967295 then
            begins = { stream = tonumber(stream) }
        elseif id then
            findings[#findings + 1] = { id = id, severity = severity, text = what }
        elseif begins and (side == "client" or side == "server") then
            begins[side] = ending(rest)
        else
            local left = tonumber(text:match("^syswire: (%d+) more findings in this frame$"))
            more = left and left <= 4294967295 and left or more
        end
    end
    return begins, findings, more
end

-- The stream that a frame belongs to: the last that began in its conversation, at it or before it.
local function stream_at(frame, begins)
    local conversation = key()
    if not conversation then
        return begins
    end
    local list = conversations[conversation]
    if begins then
        begins.frame = frame
        if not list then
            conversations[conversation] = { begins }
        elseif list[#list].frame < frame then
            list[#list + 1] = begins
        end
        return begins
    end
    for at = list and #list or 0, 1, -1 do
        if list[at].frame <= frame then
            return list[at]
        end
    end
end

local function show_end(tree, found, process, pid)
    if found then
        tree:add(process, found.name):set_generated()
        tree:add(pid, found.pid):set_generated()
        tree:add(f.process, found.name):set_generated()
        tree:add(f.pid, found.pid):set_generated()
        tree:add(f.user, found.user):set_generated()
    end
end

function syswire.dissector(_, pinfo, tree)
    local begins, findings, more = read()
    local stream = stream_at(pinfo.number, begins)
    if not stream and #findings == 0 and more == 0 then
        return
    end
    local ours = tree:add(syswire):set_generated()
    for _, found in ipairs(findings) do
        ours:add(f.finding, found.id):set_generated()
        ours:add(f.severity, found.severity):set_generated()
        ours:add(f.text, found.text):set_generated()
    end
    if more > 0 then
        ours:add(f.more, more):set_generated()
    end
    if stream then
        ours:add(f.stream, stream.stream):set_generated()
        show_end(ours, stream.client, f.client_process, f.client_pid)
        show_end(ours, stream.server, f.server_process, f.server_pid)
    end
end

register_postdissector(syswire)
