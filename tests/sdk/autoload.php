<?php
// Loads Guzzle, as Debian installs it, and the generated client.
require 'GuzzleHttp/autoload.php';
spl_autoload_register(function ($name) {
    require __DIR__ . '/php/lib/' . strtr(substr($name, strlen('UsersApi\\')), '\\', '/') . '.php';
});
