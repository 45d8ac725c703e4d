<?php
// Asks the database twice, so that a recording has both ways: over its unix socket, and over TCP.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$login = $_POST['login'] ?? '';
$pass = $_POST['pass'] ?? '';

$local = new mysqli('localhost', 'shop', 'db-Pass0', 'shop', 0, getenv('DB_SOCKET'));
$quoted = $local->real_escape_string($login);
$row = $local->query("SELECT id, pass FROM users WHERE login = '$quoted'")->fetch_assoc();
$local->close();

$known = $row !== null && $row['pass'] === $pass;
$remote = new PDO('mysql:host=127.0.0.1;dbname=shop;port=' . getenv('DB_PORT'), 'shop', 'db-Pass0');
$remote->exec("INSERT INTO visits (login, known) VALUES (" . $remote->quote($login) . ", " . ($known ? 1 : 0) . ")");

if (!$known) {
    http_response_code(403);
}
echo "Form submitted.";
