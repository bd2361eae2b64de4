-- (c) What a good engineer would write today, with citext.

DROP SCHEMA IF EXISTS handmade_citext CASCADE;
\set schema handmade_citext
\set email_type citext
\ir handmade.sql
