-- The requests of the load benchmark. REQUESTS is the kind: health, read, list or create. USERS is a file with the paths of
-- existing users. RESULT counts errors and responses other than 2xx and 3xx, so that fast errors are visible.

local kind = os.getenv("REQUESTS")
local users = {}
local number = 0
local threads = {}
thread_id = 0 -- global, because `setup` sets it

function setup(thread)
    thread:set("thread_id", #threads)
    table.insert(threads, thread)
end

function init(args)
    if kind == "read" then
        for path in io.lines(os.getenv("USERS")) do table.insert(users, path) end
    end
    math.randomseed(thread_id + 1)
end

function request()
    if kind == "read" then
        return wrk.format("GET", users[math.random(#users)])
    elseif kind == "list" then
        return wrk.format("GET", "/users?limit=20")
    elseif kind == "create" then
        number = number + 1
        local email = string.format("load-%s-%d-%d@example.com", os.getenv("RUN"), thread_id, number)
        return wrk.format("POST", "/users", { ["Content-Type"] = "application/json" },
            string.format('{"name":"Load Test","email":"%s"}', email))
    end
    return wrk.format("GET", "/health")
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("RESULT %d %d %.0f %.0f %.0f %d\n", summary.requests, summary.duration, latency.mean,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
