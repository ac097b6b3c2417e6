# Tests the client that openapi-generator generates: ruby -I CLIENT/lib ruby.rb URL KEY
#
# A call returns the result, and with `_with_http_info` also the status and the headers. A problem is raised as an ApiError.

require "json"
require "users_client"

url, key = ARGV

def assert(condition, message = "an assertion failed")
  raise message unless condition
end

# The problem of a call that fails with this status.
def problem(status)
  yield
  raise "expected #{status}, found a success"
rescue UsersClient::ApiError => error
  assert error.code == status, "expected #{status}, found #{error.code}: #{error.response_body}"
  UsersClient::Problem.build_from_hash(JSON.parse(error.response_body))
end

def client(url, key)
  configuration = UsersClient::Configuration.new
  configuration.scheme, configuration.host = url.split("://")
  configuration.access_token = key
  UsersClient::UsersApi.new(UsersClient::ApiClient.new(configuration))
end

users = client(url, key)

# Without a key, and with a wrong one.
[nil, "wrong"].each { |wrong| assert problem(401) { client(url, wrong).list_users }.type == "/problems/unauthorized" }

# Create, and send the same again with the key of the first request: the user is created once.
new = UsersClient::UserInput.new(name: "Ada Lovelace", email: "ada@example.com")
key = { idempotency_key: "ruby-8e03978e-40d5-43e8-bc93-6894a57f9324" }
ada, status, headers = users.create_user_with_http_info(new, key)
assert status == 201 && headers["location"] == "/users/#{ada.id}"
assert ada.created_at.is_a?(Time)
again, _, retried = users.create_user_with_http_info(new, key)
assert again == ada && retried["idempotency-replayed"] == "true"

# Read, and list page by page, newest first.
read, _, headers = users.get_user_with_http_info(ada.id)
assert read == ada
begin
  users.get_user(ada.id, if_none_match: headers["etag"])
  raise "an unchanged user was read"
rescue UsersClient::ApiError => error
  assert error.code == 304
end
grace = users.create_user(UsersClient::UserInput.new(name: "Grace Hopper", email: "grace@example.com"))
first = users.list_users(limit: 1)
second = users.list_users(limit: 1, cursor: first.next_cursor)
assert [first, second].flat_map(&:users) == [grace, ada] && second.next_cursor.nil?

# Replace the version that was read, then try to change it again.
version = headers["etag"]
replaced = users.replace_user(ada.id, UsersClient::UserInput.new(name: "Ada King", email: "ada@example.org"), if_match: version)
assert replaced.name == "Ada King"
patch = UsersClient::UserPatch.new(name: "Ada 李小龍 👩‍🚀")
outdated = problem(412) { users.update_user(ada.id, patch, if_match: version) }
assert outdated.type == "/problems/precondition-failed"
patched = users.update_user(ada.id, patch)
assert [patched.name, patched.email] == ["Ada 李小龍 👩‍🚀", "ada@example.org"]

# Problems: the models check the contract before a request is sent, and the server checks it anyway.
begin
  UsersClient::UserInput.new(name: " Ada", email: "ada@example.com")
  raise "an invalid name was accepted"
rescue ArgumentError
  # Expected.
end
taken = problem(409) { users.create_user(UsersClient::UserInput.new(name: "Ada", email: "GRACE@example.com")) }
assert taken.errors.map { |error| [error.pointer, error.code] } == [["/email", UsersClient::ViolationCode::NOT_UNIQUE]]
invalid = problem(422) { users.create_user({ name: " ", email: "ada@localhost" }) }
assert invalid.errors.to_h { |error| [error.pointer, error.code] } == { "/name" => "pattern", "/email" => "pattern" }

# Delete; a later read finds no user.
[ada, grace].each { |user| users.delete_user(user.id) }
assert problem(404) { users.get_user(ada.id) }.type == "/problems/not-found"

puts "ruby: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422"
