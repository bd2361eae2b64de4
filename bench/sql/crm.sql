-- (b) A directory of this extension.

SET contacts.ddl_guard = off;
DROP SCHEMA IF EXISTS crm CASCADE;
SET contacts.ddl_guard = on;
SELECT contacts.create_directory('crm') \g /dev/null
