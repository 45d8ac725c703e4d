CREATE DATABASE shop;
CREATE USER shop@localhost IDENTIFIED BY 'db-Pass0', shop@'127.0.0.1' IDENTIFIED BY 'db-Pass0';
GRANT ALL ON shop.* TO shop@localhost, shop@'127.0.0.1';
USE shop;
CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, login VARCHAR(64) UNIQUE, pass VARCHAR(64));
CREATE TABLE visits (id INT PRIMARY KEY AUTO_INCREMENT, login VARCHAR(64), known BOOLEAN);
INSERT INTO users (login, pass) VALUES ('alice', 'Wonder-land7'), ('bob', 'builder+Can 1');
