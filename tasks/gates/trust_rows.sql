-- The rows behind each check of trust: a query below each name.

-- flip_rate
select comparison_id, judge, criterion, prompt_id, list(subjects order by judgment_id) as shown,
    list(winner order by judgment_id) as winners
from judgments where comparison = 'contradicted' group by all order by judge, comparison_id

-- first_shown_excess
select judge, criterion, count(*) as verdicts, avg((winner = subjects[1])::int) as first_shown_wins
from judgments where kind = 'pairwise' and outcome = 'valid' group by judge, criterion
order by abs(first_shown_wins - 0.5) desc, judge

-- identity_rate
with said as (
    select pair_id, prompt_id, unnest(['chosen', 'rejected']) as side,
        unnest([chosen_policy, rejected_policy]) as policy,
        unnest([
            array_to_string(list_transform(chosen, lambda m: coalesce(m.content, '')), chr(10)),
            array_to_string(list_transform(rejected, lambda m: coalesce(m.content, '')), chr(10))
        ]) as text
    from preferences
),
named as (select *, lower(regexp_extract(coalesce(policy, ''), '([^/:]*)$', 1)) as own from said),
found as (
    select *, regexp_extract(text, '(?i).{0,30}(\b(?:I am|I''m|as) (?:an? )?(?:ChatGPT|GPT-?[345]|Claude|Gemini|Bard|Llama|Qwen|Mistral|DeepSeek|Grok|Vicuna|Alpaca)\b|\b(?:developed|trained|created|made) by (?:OpenAI|Anthropic|Google|Meta|Alibaba|Mistral|DeepSeek|Microsoft)\b).{0,30}') as says
    from named
)
select pair_id, prompt_id, side, policy, case when says <> '' then says else own end as says from found
where says <> '' or (length(own) > 4 and contains(lower(text), own)) order by pair_id, side

-- saturated_rate
with rated as (
    select *, max(score) over (partition by judge, fingerprint, criterion) as top from judgments
    where kind = 'pointwise' and outcome = 'valid' and score is not null
)
select judgment_id, judge, criterion, prompt_id, subjects, score from rated where score >= top order by judge, judgment_id

-- weak_rate
select pair_id, prompt_id, strength, p_chosen, margin from preferences
where coalesce(strength, p_chosen - 0.5) <= 0 order by coalesce(strength, p_chosen - 0.5), pair_id

-- even_rate
select pair_id, prompt_id, chosen_score, rejected_score from preferences
where chosen_score = rejected_score order by pair_id

-- unlike_length
select pair_id, prompt_id, p_chosen, meta from preferences
where contains(regexp_extract(coalesce(meta, ''), '"unlike":"([^"]*)"', 1), 'length') order by pair_id

-- unlike_texts
select pair_id, prompt_id, p_chosen, meta from preferences
where contains(regexp_extract(coalesce(meta, ''), '"unlike":"([^"]*)"', 1), 'texts') order by pair_id

-- unlike_task
select pair_id, prompt_id, p_chosen, meta from preferences
where contains(regexp_extract(coalesce(meta, ''), '"unlike":"([^"]*)"', 1), 'task') order by pair_id

-- unlike_agreement
select pair_id, prompt_id, p_chosen, meta from preferences
where contains(regexp_extract(coalesce(meta, ''), '"unlike":"([^"]*)"', 1), 'agreement') order by pair_id

-- split_leaks
select prompt_id, list(distinct split) as splits, list(pair_id order by pair_id) as pair_ids from preferences
where split is not null group by prompt_id having count(distinct split) > 1 order by prompt_id

-- margin_drift
select 'new' as version, count(*) as pairs, avg(margin) as mean, stddev_pop(margin) as deviation from preferences
union all select 'previous', count(*), avg(margin), stddev_pop(margin) from previous

-- length_drift
select 'new' as version, count(*) as pairs,
    avg(list_sum(list_transform(chosen, lambda m: length(coalesce(m.content, ''))))) as mean_characters from preferences
union all
select 'previous', count(*), avg(list_sum(list_transform(chosen, lambda m: length(coalesce(m.content, '')))))
from previous

-- policy_drift
select coalesce(n.chosen_policy, o.chosen_policy) as policy, coalesce(n.pairs, 0) as new, coalesce(o.pairs, 0) as previous
from (select chosen_policy, count(*) as pairs from preferences group by 1) n
full join (select chosen_policy, count(*) as pairs from previous group by 1) o using (chosen_policy)
order by abs(new - previous) desc, policy
