-- (b) A directory of this extension.

SELECT contacts.drop_directory('crm', cascade => true)
FROM pg_namespace WHERE nspname = 'crm' \g /dev/null
SELECT contacts.create_directory('crm') \g /dev/null
