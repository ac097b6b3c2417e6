// Tests the client that openapi-generator generates: java KotlinKt URL KEY
//
// A call returns the result, and with `WithHttpInfo` also the status and the headers. A problem is thrown as a ClientException
// or ServerException, with the body as text.

import java.util.UUID
import okhttp3.OkHttpClient
import users.apis.UsersApi
import users.infrastructure.ApiResponse
import users.infrastructure.ClientError
import users.infrastructure.ClientException
import users.infrastructure.Serializer
import users.infrastructure.ServerError
import users.infrastructure.Success
import users.models.Problem
import users.models.UserInput
import users.models.UserPatch
import users.models.ViolationCode

/** A client that sends the key with every request. */
fun client(url: String, key: String): UsersApi {
    val http = OkHttpClient.Builder().addInterceptor {
        it.proceed(it.request().newBuilder().header("Authorization", "Bearer $key").build())
    }
    return UsersApi(url, http.build())
}

/** The problem of a call that fails with this status. */
fun problem(status: Int, call: () -> Any): Problem {
    try {
        call()
    } catch (error: ClientException) {
        check(error.statusCode == status)
        return Serializer.gson.fromJson((error.response as ClientError<*>).body as String, Problem::class.java)
    }
    error("expected $status, found a success")
}

/** The place and the code of every violation. */
fun codes(problem: Problem) = problem.errors.orEmpty().associate { it.pointer to it.code }

fun <T> data(response: ApiResponse<T?>) = (response as Success<T?>).data!!

fun main(arguments: Array<String>) {
    val (url, key) = arguments
    val users = client(url, key)

    // With a wrong key.
    check(problem(401) { client(url, "wrong").listUsers() }.type == "/problems/unauthorized")

    // Create, and send the same again with the key of the first request: the user is created once.
    val input = UserInput(name = "Ada Lovelace", email = "ada@example.com")
    val once = UUID.randomUUID().toString()
    val created = users.createUserWithHttpInfo(input, once)
    val ada = data(created)
    check(created.statusCode == 201 && created.headers["location"] == listOf("/users/${ada.id}"))
    val retried = users.createUserWithHttpInfo(input, once)
    check(data(retried) == ada && retried.headers["idempotency-replayed"] == listOf("true"))

    // Read, and list page by page, newest first.
    val read = users.getUserWithHttpInfo(ada.id, null)
    check(data(read) == ada)
    val unchanged = users.getUserWithHttpInfo(ada.id, ifNoneMatch = read.headers.getValue("etag").single())
    check(unchanged is ServerError && unchanged.statusCode == 304)
    val grace = users.createUser(UserInput(name = "Grace Hopper", email = "grace@example.com"))
    val first = users.listUsers(limit = 1)
    val second = users.listUsers(limit = 1, cursor = first.nextCursor)
    check(first.users + second.users == listOf(grace, ada) && second.nextCursor == null)

    // Replace the version that was read, then try to change it again.
    val version = read.headers.getValue("etag").single()
    val king = UserInput(name = "Ada King", email = "ada@example.org")
    check(users.replaceUser(ada.id, king, ifMatch = version).name == "Ada King")
    val patch = UserPatch(name = "Ada 李小龍 👩‍🚀")
    check(problem(412) { users.updateUser(ada.id, patch, ifMatch = version) }.type == "/problems/precondition-failed")
    val patched = users.updateUser(ada.id, patch)
    check(patched.name == patch.name && patched.email == king.email)

    // Problems: an e-mail address in use, and a body with two violations.
    val taken = problem(409) { users.createUser(UserInput(name = "Ada", email = "GRACE@example.com")) }
    check(codes(taken) == mapOf("/email" to ViolationCode.NOT_UNIQUE))
    val invalid = problem(422) { users.createUser(UserInput(name = " ", email = "ada@localhost")) }
    check(codes(invalid) == mapOf("/email" to ViolationCode.PATTERN, "/name" to ViolationCode.PATTERN))

    // Delete; a later read finds no user.
    for (user in listOf(ada, grace)) users.deleteUser(user.id)
    check(problem(404) { users.getUser(ada.id) }.type == "/problems/not-found")

    println("kotlin: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422")
}
