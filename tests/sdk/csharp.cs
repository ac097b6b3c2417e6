// Tests the client that openapi-generator generates: mono csharp.exe URL KEY
//
// A call returns the result, and with `WithHttpInfo` also the status and the headers. A problem is thrown as an ApiException,
// with the body as text.

using System;
using System.Collections.Generic;
using System.Linq;
using Newtonsoft.Json;
using Users.Api;
using Users.Client;
using Users.Model;

static class Program
{
    static void Check(bool condition)
    {
        if (!condition) throw new Exception("an assertion failed");
    }

    static UsersApi Client(string url, string key) => new UsersApi(new Configuration { BasePath = url, AccessToken = key });

    /// The problem of a call that fails with this status.
    static Problem ProblemOf(int status, Action call)
    {
        try
        {
            call();
        }
        catch (ApiException error)
        {
            Check(error.ErrorCode == status);
            return JsonConvert.DeserializeObject<Problem>((string)error.ErrorContent);
        }
        throw new Exception($"expected {status}, found a success");
    }

    /// The place and the code of every violation.
    static List<string> Codes(Problem problem) =>
        problem.Errors.Select(violation => $"{violation.Pointer} {violation.Code}").OrderBy(code => code).ToList();

    static bool Same(User one, User other) => one.ToJson() == other.ToJson();

    static void Main(string[] arguments)
    {
        var users = Client(arguments[0], arguments[1]);

        // With a wrong key.
        Check(ProblemOf(401, () => Client(arguments[0], "wrong").ListUsers()).Type == "/problems/unauthorized");

        // Create, and send the same again with the key of the first request: the user is created once.
        var input = new UserInput("Ada Lovelace", "ada@example.com");
        var once = Guid.NewGuid().ToString();
        var created = users.CreateUserWithHttpInfo(input, once);
        var ada = created.Data;
        Check((int)created.StatusCode == 201 && created.Headers["Location"].Single() == $"/users/{ada.Id}");
        var retried = users.CreateUserWithHttpInfo(input, once);
        Check(Same(retried.Data, ada) && retried.Headers["Idempotency-Replayed"].Single() == "true");

        // Read, and list page by page, newest first.
        var read = users.GetUserWithHttpInfo(ada.Id);
        Check(Same(read.Data, ada));
        var unchanged = users.GetUserWithHttpInfo(ada.Id, read.Headers["ETag"].Single());
        Check((int)unchanged.StatusCode == 304 && unchanged.Data == null);
        var grace = users.CreateUser(new UserInput("Grace Hopper", "grace@example.com"));
        var first = users.ListUsers(limit: 1);
        var second = users.ListUsers(limit: 1, cursor: first.NextCursor);
        Check(Same(first.Users.Single(), grace) && Same(second.Users.Single(), ada));

        // Replace the version that was read, then try to change it again.
        var version = read.Headers["ETag"].Single();
        Check(users.ReplaceUser(ada.Id, new UserInput("Ada King", "ada@example.org"), version).Name == "Ada King");
        var patch = new UserPatch("Ada 李小龍 👩‍🚀");
        var outdated = ProblemOf(412, () => users.UpdateUser(ada.Id, patch, version));
        Check(outdated.Type == "/problems/precondition-failed");
        var patched = users.UpdateUser(ada.Id, patch);
        Check(patched.Name == patch.Name && patched.Email == "ada@example.org");

        // Problems: an e-mail address in use, and a body with two violations.
        var taken = ProblemOf(409, () => users.CreateUser(new UserInput("Ada", "GRACE@example.com")));
        Check(Codes(taken).SequenceEqual(new[] { $"/email {ViolationCode.NotUnique}" }));
        var invalid = ProblemOf(422, () => users.CreateUser(new UserInput(" ", "ada@localhost")));
        Check(Codes(invalid).SequenceEqual(new[] { $"/email {ViolationCode.Pattern}", $"/name {ViolationCode.Pattern}" }));

        // Delete; a later read finds no user.
        foreach (var user in new[] { ada, grace }) users.DeleteUser(user.Id);
        Check(ProblemOf(404, () => users.GetUser(ada.Id)).Type == "/problems/not-found");

        Console.WriteLine(
            "csharp: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422");
    }
}
