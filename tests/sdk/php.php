<?php
// Tests the client that openapi-generator generates: php -d auto_prepend_file=autoload.php php.php URL KEY
//
// A call returns the result, and with `WithHttpInfo` also the status and the headers. A problem is thrown as an ApiException.

use GuzzleHttp\Client;
use UsersApi\Api\UsersApi;
use UsersApi\ApiException;
use UsersApi\Configuration;
use UsersApi\Model\Problem;
use UsersApi\Model\UserInput;
use UsersApi\Model\UserPatch;
use UsersApi\Model\Violation;
use UsersApi\Model\ViolationCode;

[, $url, $key] = $argv;
set_error_handler(fn($level, $message, $file, $line) => throw new ErrorException($message, 0, $level, $file, $line));

function check(bool $condition): void
{
    $condition || throw new Exception('an assertion failed');
}

/** The problem of a call that fails with this status. */
function problem(int $status, callable $call): Problem
{
    try {
        $call();
    } catch (ApiException $error) {
        check($error->getCode() === $status && $error->getResponseObject() instanceof Problem);
        return $error->getResponseObject();
    }
    throw new Exception("expected $status, found a success");
}

function client(string $url, ?string $key): UsersApi
{
    return new UsersApi(new Client(), (new Configuration())->setHost($url)->setAccessToken($key));
}

/** @return list<array{string, string}> the place and the code of every violation */
function codes(Problem $problem): array
{
    $codes = array_map(fn(Violation $error) => [$error->getPointer(), (string) $error->getCode()], $problem->getErrors());
    sort($codes);
    return $codes;
}

$users = client($url, $key);

// Without a key, and with a wrong one.
foreach (['', 'wrong'] as $wrong) {
    check(problem(401, fn() => client($url, $wrong)->listUsers())->getType() === '/problems/unauthorized');
}

// Create, and send the same again with the key of the first request: the user is created once.
$new = new UserInput(['name' => 'Ada Lovelace', 'email' => 'ada@example.com']);
$once = 'php-8e03978e-40d5-43e8-bc93-6894a57f9324';
[$ada, $status, $headers] = $users->createUserWithHttpInfo($new, $once);
check($status === 201 && $headers['location'] === ["/users/{$ada->getId()}"]);
check($ada->getCreatedAt() instanceof DateTime);
[$again, , $retried] = $users->createUserWithHttpInfo($new, $once);
check($again == $ada && $retried['idempotency-replayed'] === ['true']);

// Read, and list page by page, newest first.
[$read, , $headers] = $users->getUserWithHttpInfo($ada->getId());
check($read == $ada);
try {
    $users->getUser($ada->getId(), $headers['etag'][0]);
    throw new Exception('an unchanged user was read');
} catch (ApiException $error) {
    check($error->getCode() === 304 && $error->getResponseObject() === null);
}
$grace = $users->createUser(new UserInput(['name' => 'Grace Hopper', 'email' => 'grace@example.com']));
$first = $users->listUsers(1);
$second = $users->listUsers(1, $first->getNextCursor());
check([...$first->getUsers(), ...$second->getUsers()] == [$grace, $ada] && $second->getNextCursor() === null);

// Replace the version that was read, then try to change it again.
[$version] = $headers['etag'];
$king = new UserInput(['name' => 'Ada King', 'email' => 'ada@example.org']);
check($users->replaceUser($ada->getId(), $king, $version)->getName() === 'Ada King');
$patch = new UserPatch(['name' => 'Ada 李小龍 👩‍🚀']);
$outdated = problem(412, fn() => $users->updateUser($ada->getId(), $patch, $version));
check($outdated->getType() === '/problems/precondition-failed');
$patched = $users->updateUser($ada->getId(), $patch);
check([$patched->getName(), $patched->getEmail()] === ['Ada 李小龍 👩‍🚀', 'ada@example.org']);

// Problems: setters check the contract before a request is sent, and the server checks it anyway.
try {
    (new UserInput())->setName(' Ada');
    throw new Exception('an invalid name was accepted');
} catch (InvalidArgumentException) {
    // Expected.
}
$taken = problem(409, fn() => $users->createUser(new UserInput(['name' => 'Ada', 'email' => 'GRACE@example.com'])));
check(codes($taken) === [['/email', ViolationCode::NOT_UNIQUE]]);
$invalid = problem(422, fn() => $users->createUser(new UserInput(['name' => ' ', 'email' => 'ada@localhost'])));
check(codes($invalid) === [['/email', ViolationCode::PATTERN], ['/name', ViolationCode::PATTERN]]);

// Delete; a later read finds no user.
foreach ([$ada, $grace] as $user) {
    $users->deleteUser($user->getId());
}
check(problem(404, fn() => $users->getUser($ada->getId()))->getType() === '/problems/not-found');

echo "php: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422\n";
