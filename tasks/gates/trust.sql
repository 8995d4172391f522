-- One row of numbers on how far the pairs can be trusted. Texts are looked at in a sample of about 200,000 pairs, taken
-- by a hash of the id; everything else in all. Without judgments, strengths or a previous version a number is 0.
with
pairs as (
    select
        pair_id, prompt_id, split, margin, coalesce(strength, p_chosen - 0.5) as strength, chosen_policy,
        chosen_score = rejected_score as even,
        -- what `weight: posterior` noted: by what the pair differs from those its judges were audited on
        regexp_extract(coalesce(meta, ''), '"unlike":"([^"]*)"', 1) as unlike
    from preferences
),
sampled as (
    select chosen, rejected, chosen_policy, rejected_policy
    from preferences, (select greatest(count(*) // 200000, 1)::ubigint as step from preferences)
    where hash(pair_id) % step = 0
),
said as (
    select
        array_to_string(list_transform(chosen, lambda m: coalesce(m.content, '')), chr(10)) as chosen,
        array_to_string(list_transform(rejected, lambda m: coalesce(m.content, '')), chr(10)) as rejected,
        -- the last part of a model's name is what it would call itself by: org/Name-7B
        lower(regexp_extract(coalesce(chosen_policy, ''), '([^/:]*)$', 1)) as chosen_name,
        lower(regexp_extract(coalesce(rejected_policy, ''), '([^/:]*)$', 1)) as rejected_name
    from sampled
),
identity as (
    select
        coalesce(avg((
            regexp_matches(chosen, '(?i)\b(?:I am|I''m|as) (?:an? )?(?:ChatGPT|GPT-?[345]|Claude|Gemini|Bard|Llama|Qwen|Mistral|DeepSeek|Grok|Vicuna|Alpaca)\b|\b(?:developed|trained|created|made) by (?:OpenAI|Anthropic|Google|Meta|Alibaba|Mistral|DeepSeek|Microsoft)\b')
            or regexp_matches(rejected, '(?i)\b(?:I am|I''m|as) (?:an? )?(?:ChatGPT|GPT-?[345]|Claude|Gemini|Bard|Llama|Qwen|Mistral|DeepSeek|Grok|Vicuna|Alpaca)\b|\b(?:developed|trained|created|made) by (?:OpenAI|Anthropic|Google|Meta|Alibaba|Mistral|DeepSeek|Microsoft)\b')
            or (length(chosen_name) > 4 and contains(lower(chosen), chosen_name))
            or (length(rejected_name) > 4 and contains(lower(rejected), rejected_name))
        )::int), 0.0) as identity_rate
    from said
),
verdicts as (
    select
        coalesce(max(flips), 0.0) as flip_rate,
        coalesce(max(first), 0.0) as first_shown_excess
    from (
        select
            avg((comparison = 'contradicted')::int) filter (comparison in ('agreed', 'tied', 'contradicted')) as flips,
            abs(avg((winner = subjects[1])::int) filter (kind = 'pairwise' and outcome = 'valid') - 0.5) as first
        from judgments
        group by judge, fingerprint, criterion
    )
),
saturation as (
    select coalesce(max(share), 0.0) as saturated_rate
    from (
        select
            avg((score >= top)::int) as share
        from (
            select judge, fingerprint, criterion, score, max(score) over (partition by judge, fingerprint, criterion) as top
            from judgments where kind = 'pointwise' and outcome = 'valid' and score is not null
        )
        group by judge, fingerprint, criterion
        having count(distinct score) > 2 -- right or wrong is no scale that could be used up
    )
),
strengths as (
    select
        coalesce(avg((strength <= 0)::int) filter (strength is not null), 0.0) as weak_rate,
        coalesce(avg((even)::int) filter (even is not null), 0.0) as even_rate
    from pairs
),
audited as (
    select
        coalesce(avg(contains(unlike, 'length')::int), 0.0) as unlike_length,
        coalesce(avg(contains(unlike, 'texts')::int), 0.0) as unlike_texts,
        coalesce(avg(contains(unlike, 'task')::int), 0.0) as unlike_task,
        coalesce(avg(contains(unlike, 'agreement')::int), 0.0) as unlike_agreement
    from pairs
),
leaks as (
    select count(*) as split_leaks
    from (select prompt_id from pairs where split is not null group by prompt_id having count(distinct split) > 1)
),
sizes as (
    select
        'new' as which, margin, chosen_policy, ln(1 + list_sum(list_transform(chosen, lambda m: strlen(coalesce(m.content, ''))))) as size
    from preferences
    union all
    select
        'old' as which, margin, chosen_policy, ln(1 + list_sum(list_transform(chosen, lambda m: strlen(coalesce(m.content, ''))))) as size
    from previous
),
halves as (
    select
        which, avg(margin) as margin, var_pop(margin) as margin_var, avg(size) as size, var_pop(size) as size_var
    from sizes group by which
),
drift as (
    select
        coalesce(max(abs(n.margin - o.margin) / nullif(sqrt((n.margin_var + o.margin_var) / 2), 0)), 0.0) as margin_drift,
        coalesce(max(abs(n.size - o.size) / nullif(sqrt((n.size_var + o.size_var) / 2), 0)), 0.0) as length_drift
    from halves n, halves o where n.which = 'new' and o.which = 'old'
),
mix as (
    select case when (select count(*) from previous) = 0 or (select count(*) from preferences) = 0 then 0.0 else
        coalesce(sum(abs(new / greatest(news, 1) - old / greatest(olds, 1))) / 2, 0.0) end as policy_drift
    from (
        select
            count(*) filter (which = 'new') as new, count(*) filter (which = 'old') as old,
            sum(count(*) filter (which = 'new')) over () as news, sum(count(*) filter (which = 'old')) over () as olds
        from sizes group by chosen_policy
    )
)
select * from identity, verdicts, saturation, strengths, audited, leaks, drift, mix
