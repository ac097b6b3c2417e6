<?php
// Loads Guzzle, as Debian installs it, and the generated client. Like Composer's, it ignores names that are no class of the client.
require 'GuzzleHttp/autoload.php';
spl_autoload_register(function ($name) {
    $file = __DIR__ . '/php/lib/' . strtr(preg_replace('/^UsersApi./', '', $name), '\\', '/') . '.php';
    if (is_file($file)) {
        require $file;
    }
});
