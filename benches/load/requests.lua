-- The requests of the load benchmarks. REQUESTS is the kind: health, read (a random one of USERS users, the first of which has
-- the id FIRST), read-all (each in turn, which fills a cache), list, page (50 users from a random place on),
-- update (the name of a random one), create, create-keyed (with an idempotency key) or batch
-- (ITEMS users; addresses contain RUN). AUTHORIZATION is the header of every request. RESULT counts errors and responses other than 2xx and 3xx, so that fast errors are
-- visible. What is constant is formatted once: wrk shares the processor with the server.

local kind, run, users = os.getenv("REQUESTS"), os.getenv("RUN"), tonumber(os.getenv("USERS"))
local items = tonumber(os.getenv("ITEMS"))
local prefix, first = os.getenv("FIRST"):match("^(.*-)(%d+)$")
local before, after
local number = 0
local threads = {}
thread_id = 0 -- global, because `setup` sets it

function setup(thread)
    thread:set("thread_id", #threads)
    table.insert(threads, thread)
end

function init(args)
    wrk.headers["Authorization"] = os.getenv("AUTHORIZATION")
    math.randomseed(os.time() + thread_id)
    if kind == "read" or kind == "read-all" then
        before, after = wrk.format("GET", "/users/" .. prefix .. "@"):match("^(.*)@(.*)$")
    elseif kind == "page" then
        before, after = wrk.format("GET", "/users?limit=50&cursor=" .. prefix .. "@"):match("^(.*)@(.*)$")
    elseif kind == "list" then
        wrk.path = "/users?limit=20"
    elseif kind == "health" then
        wrk.path = "/health"
    end
end

if kind == "read" or kind == "page" then
    function request()
        return before .. string.format("%.0f", first + math.random(0, users - 1)) .. after
    end
elseif kind == "read-all" then
    function request()
        number = number % users + 1
        return before .. string.format("%.0f", first + number - 1) .. after
    end
elseif kind == "update" then
    local headers = { ["Content-Type"] = "application/json", ["Authorization"] = os.getenv("AUTHORIZATION") }
    function request()
        number = number + 1
        local path = string.format("/users/%s%.0f", prefix, first + math.random(0, users - 1))
        return wrk.format("PATCH", path, headers, string.format('{"name":"Ada %s %d %d"}', run, thread_id, number))
    end
elseif kind == "create" or kind == "create-keyed" or kind == "batch" then
    local function user()
        number = number + 1
        return string.format('{"name":"Load Test","email":"load-%s-%d-%d@example.com"}', run, thread_id, number)
    end
    local headers = { ["Content-Type"] = "application/json", ["Authorization"] = os.getenv("AUTHORIZATION") }
    function request()
        if kind == "create" then
            return wrk.format("POST", "/users", headers, user())
        elseif kind == "create-keyed" then
            headers["Idempotency-Key"] = string.format("%s-%d-%d", run, thread_id, number)
            return wrk.format("POST", "/users", headers, user())
        end
        local users = {}
        for item = 1, items do
            users[item] = user()
        end
        return wrk.format("POST", "/users/batch", headers, '{"users":[' .. table.concat(users, ",") .. "]}")
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("RESULT %d %d %.0f %.0f %d\n", summary.requests, summary.duration, latency.mean,
        latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
