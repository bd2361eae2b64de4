-- (b) A directory of this extension.

DROP SCHEMA IF EXISTS crm CASCADE;
SELECT contacts.create_directory('crm') \g /dev/null
