-- (c') The same with text COLLATE "C" and lower() in place of citext.

DROP SCHEMA IF EXISTS handmade_text CASCADE;
\set schema handmade_text
\set email_type 'text COLLATE "C"'
\ir handmade.sql
