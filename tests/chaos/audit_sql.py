"""I1 to I6 of the design, and the sums, written anew. A row is one thing asked about, and what is wrong."""

from typing import Final

WALLETS: Final = """
    with sums as (
        select user_id, sum(available_delta) as available, sum(reserved_delta) as reserved
        from credit_entries group by user_id
    ), steps as (
        select user_id, bool_or(available_after <> available or reserved_after <> reserved) as are_wrong
        from (select user_id, available_after, reserved_after,
                     sum(available_delta) over so_far as available,
                     sum(reserved_delta) over so_far as reserved
              from credit_entries window so_far as (partition by user_id order by id)) each_entry
        group by user_id
    )
    select coalesce(w.user_id, s.user_id)::text as id,
           case when w.user_id is null then 'entries without a wallet'
                when w.available <> coalesce(s.available, 0) or w.reserved <> coalesce(s.reserved, 0)
                then format('wallet %s + %s, entries %s + %s',
                            w.available, w.reserved, s.available, s.reserved)
                when w.available < 0 or w.reserved < 0 then 'less than nothing'
                when t.are_wrong then 'an entry says another balance than the entries before it'
                else '' end as wrong
    from wallets w full join sums s using (user_id) left join steps t using (user_id)"""

SETTLED_ONCE: Final = """
    select v.id, case
        when r.id is null and s.count > 0 then 'settled without a reservation'
        when r.id is null then ''
        when r.reserved_delta <> o.price_credits or r.available_delta <> -o.price_credits
        then format('%s reserved for an order of %s', r.reserved_delta, o.price_credits)
        when s.count <> 1 then format('settled %s times', s.count)
        when s.moved <> v.price_credits then format('%s settled of a price of %s', s.moved, v.price_credits)
        else '' end as wrong
    from videos v join orders o on o.id = v.order_id
    left join credit_entries r on r.cause = 'reserve:' || v.order_id and r.kind = 'reserve'
    cross join lateral (
        select count(*) as count, -coalesce(sum(reserved_delta), 0) as moved
        from credit_entries e where e.video_id = v.id and e.kind in ('capture', 'refund')
    ) s
    where v.state not in ('OPEN', 'DELIVERING')"""

STATE_AND_SETTLEMENT: Final = """
    select v.id, case
        when v.state in ('DELIVERED', 'WAITING') and not s.captured then v.state || ' but not captured'
        when v.state in ('FAILED', 'CANCELLED') and s.captured then v.state || ' but captured'
        when s.refunded and s.credits_back <> v.price_credits then 'another sum came back'
        else '' end as wrong
    from videos v
    cross join lateral (
        select coalesce(bool_or(kind = 'capture'), false) as captured,
               coalesce(bool_or(kind = 'refund'), false) as refunded,
               sum(available_delta) filter (where kind = 'refund') as credits_back
        from credit_entries e where e.video_id = v.id
    ) s
    where v.state not in ('OPEN', 'DELIVERING')
      and exists (select from credit_entries r
                  where r.cause = 'reserve:' || v.order_id and r.kind = 'reserve')"""

ATTEMPTS: Final = """
    select a.id, case
        when a.kie_task_id is not null
             and exists (select from attempts o where o.kie_task_id = a.kie_task_id and o.id <> a.id)
        then 'another attempt has the same KIE task'
        when a.sent_at is not null and exists (
            select from attempts b
            where b.video_id = a.video_id and b.number < a.number
              and b.state not in ('REJECTED', 'NOT_SENT') and b.task_state is distinct from 'FAIL')
        then 'sent although an earlier one may have bought'
        else '' end as wrong
    from attempts a"""

PAYMENTS: Final = """
    with booked as (
        select charge_id, count(*) filter (where kind = 'purchase') as purchases,
               coalesce(sum(available_delta) filter (where kind = 'purchase'), 0) as credits,
               count(*) filter (where kind = 'purchase_refund') as refunds,
               -coalesce(sum(available_delta) filter (where kind = 'purchase_refund'), 0) as taken
        from credit_entries where charge_id is not null group by charge_id
    ), expected as (
        select charge_id, (credits > 0)::int as purchases, credits,
               (credits > 0 and state not in ('PAID', 'UNCLEAR'))::int as refunds,
               case when state in ('PAID', 'UNCLEAR') then 0 else credits - debt_credits end as taken
        from payments
    )
    select coalesce(p.charge_id, e.charge_id) as id, case
        when p.charge_id is null then 'entries without a payment'
        when p.purchases <> coalesce(e.purchases, 0)
        then format('credited %s times', coalesce(e.purchases, 0))
        when p.credits <> coalesce(e.credits, 0) then format('%s credited for %s', e.credits, p.credits)
        when p.refunds <> coalesce(e.refunds, 0) then format('taken back %s times', coalesce(e.refunds, 0))
        when p.taken <> coalesce(e.taken, 0) then format('%s taken back for %s', e.taken, p.taken)
        else '' end as wrong
    from expected p full join booked e on e.charge_id = p.charge_id"""

DEADLINES: Final = """
    select id, case when state in ('OPEN', 'DELIVERING') and deadline_at < now()
                    then format('%s since its deadline at %s', state, deadline_at) else '' end as wrong
    from videos"""

SUMS: Final = """
    with by_user as (
        select w.user_id, w.available,
            (select coalesce(sum(available_delta), 0) from credit_entries e
             where e.user_id = w.user_id and e.kind in ('welcome', 'grant')) as given,
            (select coalesce(sum(credits), 0) from payments p where p.user_id = w.user_id) as bought,
            (select coalesce(sum(credits - debt_credits), 0) from payments p
             where p.user_id = w.user_id and p.state not in ('PAID', 'UNCLEAR')) as taken,
            (select coalesce(sum(v.price_credits), 0) from videos v
             where v.user_id = w.user_id and v.state in ('DELIVERED', 'WAITING')) as captured,
            (select coalesce(sum(v.price_credits), 0) from videos v
             join credit_entries r on r.cause = 'reserve:' || v.order_id and r.kind = 'reserve'
             where v.user_id = w.user_id and v.state in ('OPEN', 'DELIVERING')) as open
        from wallets w
    ), with_total as (
        select user_id::text as id, available, given, bought, taken, captured, open from by_user
        union all
        select 'all users', sum(available), sum(given), sum(bought), sum(taken), sum(captured), sum(open)
        from by_user having count(*) > 0
    )
    select id, case when given + bought - taken - captured - open <> available
        then format('%s given + %s bought - %s taken - %s captured - %s open, but %s available',
                    given, bought, taken, captured, open, available) else '' end as wrong
    from with_total"""

QUERIES: Final = {
    "I1": WALLETS,
    "I2": SETTLED_ONCE,
    "I3": STATE_AND_SETTLEMENT,
    "I4": ATTEMPTS,
    "I5": PAYMENTS,
    "I6": DEADLINES,
    "sums": SUMS,
}
