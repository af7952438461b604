## Для администраторов
admin-alert =
    🚨 <b>{ $class }</b>
    { $ids }
    <code>{ $raw }</code>
admin-alert-no-answer = ответ не записан
