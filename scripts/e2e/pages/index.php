<!DOCTYPE html>
<html>
<head><title>Login</title><link rel="stylesheet" href="style.css"></head>
<body>
<h1>Welcome, it is <?php echo date('H:i'); ?></h1>
<form name="loginForm" method="post" action="login.php">
<p>Login: <input type="text" name="login"></p>
<p>Password: <input type="password" name="pass"></p>
<p><input type="submit" name="Submit" value="Login"></p>
</form>
</body>
</html>
