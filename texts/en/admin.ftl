## For admins
admin-alert =
    🚨 <b>{ $class }</b>
    { $ids }
    <code>{ $raw }</code>
admin-alert-no-answer = no answer recorded
