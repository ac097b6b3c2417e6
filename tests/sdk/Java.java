// Tests the client that openapi-generator generates: java Java URL KEY
//
// A call returns the result, and with `WithHttpInfo` also the status and the headers. A problem is thrown as an ApiException.

import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import users.ApiClient;
import users.ApiException;
import users.ApiResponse;
import users.api.UsersApi;
import users.model.Problem;
import users.model.User;
import users.model.UserInput;
import users.model.UserList;
import users.model.UserPatch;
import users.model.Violation;
import users.model.ViolationCode;

public class Java {
    interface Call {
        void run() throws ApiException;
    }

    static void check(boolean condition) {
        if (!condition) throw new AssertionError();
    }

    static UsersApi client(String url, String key) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(url);
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + key));
        return new UsersApi(client);
    }

    /** The problem of a call that fails with this status. */
    static Problem problem(int status, Call call) throws Exception {
        try {
            call.run();
        } catch (ApiException error) {
            check(error.getCode() == status);
            return ApiClient.createDefaultObjectMapper().readValue(error.getResponseBody(), Problem.class);
        }
        throw new AssertionError("expected " + status + ", found a success");
    }

    /** The place and the code of every violation. */
    static Map<String, ViolationCode> codes(Problem problem) {
        return problem.getErrors().stream().collect(Collectors.toMap(Violation::getPointer, Violation::getCode));
    }

    static String header(ApiResponse<?> response, String name) {
        return response.getHeaders().get(name).get(0);
    }

    public static void main(String[] arguments) throws Exception {
        UsersApi users = client(arguments[0], arguments[1]);

        // With a wrong key.
        UsersApi wrong = client(arguments[0], "wrong");
        Problem refused = problem(401, () -> wrong.listUsers(null, null, null, null, null, null, null));
        check(refused.getType().equals("/problems/unauthorized"));

        // Create, and send the same again with the key of the first request: the user is created once.
        UserInput input = new UserInput().name("Ada Lovelace").email("ada@example.com");
        String once = UUID.randomUUID().toString();
        ApiResponse<User> created = users.createUserWithHttpInfo(input, once);
        User ada = created.getData();
        UUID id = ada.getId();
        check(created.getStatusCode() == 201 && header(created, "location").equals("/users/" + id));
        ApiResponse<User> retried = users.createUserWithHttpInfo(input, once);
        check(retried.getData().equals(ada) && header(retried, "idempotency-replayed").equals("true"));

        // Read, and list page by page, newest first.
        ApiResponse<User> read = users.getUserWithHttpInfo(id, null);
        check(read.getData().equals(ada));
        try {
            users.getUser(id, header(read, "etag"));
            throw new AssertionError("an unchanged user was read");
        } catch (ApiException error) {
            check(error.getCode() == 304);
        }
        User grace = users.createUser(new UserInput().name("Grace Hopper").email("grace@example.com"), null);
        UserList first = users.listUsers(1, null, null, null, null, null, null);
        UserList second = users.listUsers(1, first.getNextCursor(), null, null, null, null, null);
        check(first.getUsers().equals(List.of(grace)) && second.getUsers().equals(List.of(ada)));
        check(second.getNextCursor() == null);

        // Replace the version that was read, then try to change it again.
        String version = header(read, "etag");
        UserInput king = new UserInput().name("Ada King").email("ada@example.org");
        check(users.replaceUser(id, king, version, null, null).getName().equals("Ada King"));
        UserPatch patch = new UserPatch().name("Ada 李小龍 👩‍🚀");
        Problem outdated = problem(412, () -> users.updateUser(id, patch, version, null, null));
        check(outdated.getType().equals("/problems/precondition-failed"));
        User patched = users.updateUser(id, patch, null, null, null);
        check(patched.getName().equals("Ada 李小龍 👩‍🚀") && patched.getEmail().equals("ada@example.org"));

        // Problems: an e-mail address in use, and a body with two violations.
        UserInput again = new UserInput().name("Ada").email("GRACE@example.com");
        check(codes(problem(409, () -> users.createUser(again, null))).equals(Map.of("/email", ViolationCode.NOT_UNIQUE)));
        UserInput invalid = new UserInput().name(" ").email("ada@localhost");
        check(codes(problem(422, () -> users.createUser(invalid, null)))
                .equals(Map.of("/email", ViolationCode.PATTERN, "/name", ViolationCode.PATTERN)));

        // Delete; a later read finds no user.
        for (User user : List.of(ada, grace)) users.deleteUser(user.getId(), null, null, null);
        check(problem(404, () -> users.getUser(id, null)).getType().equals("/problems/not-found"));

        System.out.println(
                "java: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422");
    }
}
