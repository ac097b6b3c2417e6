// Tests the client that openapi-generator generates: test URL KEY
//
// A call returns the result, the response and an error, which has the problem.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	usersapi "example.com/users/users-api"
)

// must returns the result and the headers of a call that succeeds.
func must[T any](result *T, response *http.Response, err error) (T, http.Header) {
	assert(err == nil, "unexpected error: %v", err)
	return *result, response.Header
}

// problemOf returns the problem of a call that fails with this status.
func problemOf(status int32, err error) usersapi.Problem {
	var failure *usersapi.GenericOpenAPIError
	assert(errors.As(err, &failure), "expected a problem, found %v", err)
	found, isProblem := failure.Model().(usersapi.Problem)
	assert(isProblem && found.Status == status, "expected %d, found %v", status, found)
	return found
}

func assert(condition bool, format string, values ...any) {
	if !condition {
		panic(fmt.Sprintf(format, values...))
	}
}

func main() {
	url, key := os.Args[1], os.Args[2]
	configuration := usersapi.NewConfiguration()
	configuration.Servers = usersapi.ServerConfigurations{{URL: url}}
	users := usersapi.NewAPIClient(configuration).UsersAPI
	with := context.WithValue(context.Background(), usersapi.ContextAccessToken, key)

	// Without a key, and with a wrong one.
	wrong := context.WithValue(context.Background(), usersapi.ContextAccessToken, "wrong")
	for _, without := range []context.Context{context.Background(), wrong} {
		_, _, err := users.ListUsers(without).Execute()
		assert(problemOf(401, err).Type == "/problems/unauthorized", "another problem")
	}

	// Create, and send the same again with the key of the first request: the user is created once.
	create := users.CreateUser(with).UserInput(*usersapi.NewUserInput("Ada Lovelace", "ada@example.com"))
	create = create.IdempotencyKey("go-8e03978e-40d5-43e8-bc93-6894a57f9324")
	ada, headers := must(create.Execute())
	assert(headers.Get("Location") == "/users/"+ada.Id, "another location: %v", headers)
	again, retried := must(create.Execute())
	assert(again == ada && retried.Get("Idempotency-Replayed") == "true", "the retry created another user")

	// Read, and list page by page, newest first.
	read, headers := must(users.GetUser(with, ada.Id).Execute())
	assert(read == ada, "another user was read")
	_, unchanged, err := users.GetUser(with, ada.Id).IfNoneMatch(headers.Get("ETag")).Execute()
	assert(err != nil && unchanged.StatusCode == http.StatusNotModified, "an unchanged user was read")
	grace, _ := must(users.CreateUser(with).UserInput(*usersapi.NewUserInput("Grace Hopper", "grace@example.com")).Execute())
	first, _ := must(users.ListUsers(with).Limit(1).Execute())
	second, _ := must(users.ListUsers(with).Limit(1).Cursor(first.GetNextCursor()).Execute())
	assert(first.Users[0] == grace && second.Users[0] == ada && !second.HasNextCursor(), "other pages")

	// Replace the version that was read, then try to change it again.
	version := headers.Get("ETag")
	king := *usersapi.NewUserInput("Ada King", "ada@example.org")
	replaced, _ := must(users.ReplaceUser(with, ada.Id).UserInput(king).IfMatch(version).Execute())
	assert(replaced.Name == "Ada King", "another name")
	patch := usersapi.UserPatch{Name: usersapi.PtrString("Ada 李小龍 👩‍🚀")}
	_, _, err = users.UpdateUser(with, ada.Id).UserPatch(patch).IfMatch(version).Execute()
	assert(problemOf(412, err).Type == "/problems/precondition-failed", "another problem")
	patched, _ := must(users.UpdateUser(with, ada.Id).UserPatch(patch).Execute())
	assert(patched.Name == *patch.Name && patched.Email == king.Email, "another user after the patch")

	// Problems.
	_, _, err = users.CreateUser(with).UserInput(*usersapi.NewUserInput("Ada", "GRACE@example.com")).Execute()
	taken := problemOf(409, err).Errors
	assert(len(taken) == 1 && taken[0].Code == usersapi.NOT_UNIQUE && taken[0].GetPointer() == "/email", "other violations")
	_, _, err = users.CreateUser(with).UserInput(*usersapi.NewUserInput(" ", "ada@localhost")).Execute()
	invalid := problemOf(422, err).Errors
	assert(len(invalid) == 2 && invalid[0].Code == usersapi.PATTERN && invalid[1].Code == usersapi.PATTERN, "other violations")

	// Delete; a later read finds no user.
	for _, user := range []usersapi.User{ada, grace} {
		_, err := users.DeleteUser(with, user.Id).Execute()
		assert(err == nil, "unexpected error: %v", err)
	}
	_, _, err = users.GetUser(with, ada.Id).Execute()
	assert(problemOf(404, err).Type == "/problems/not-found", "another problem")

	fmt.Println("go: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422")
}
