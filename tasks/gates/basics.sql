-- One row of numbers over everything about to be published. Texts are compared in NFC, stripped, each run of
-- whitespace one space. Rates are those of the worst judge; without judgments they are 0.
with
texts as (
    select
        pair_id, prompt_id, chosen_id, rejected_id, chosen_score, rejected_score, coalesce(flipped, false) as flipped,
        level,
        hash(prompt_id, prefix, annotator_group, chosen, rejected) as content,
        array_to_string(list_transform(chosen, lambda m: coalesce(m.content, m.tool_calls, '')), chr(10)) as chosen,
        array_to_string(list_transform(rejected, lambda m: coalesce(m.content, m.tool_calls, '')), chr(10)) as rejected
    from preferences
),
starts as (
    -- texts that are the same begin the same: most pairs are told apart by 64 letters, at a fifth of the work
    select
        *,
        rtrim(ltrim(regexp_replace(left(chosen, 64), '\s+', ' ', 'g'))) as chosen_start,
        rtrim(ltrim(regexp_replace(left(rejected, 64), '\s+', ' ', 'g'))) as rejected_start,
        strlen(chosen) = length(chosen) and strlen(rejected) = length(rejected) as ascii
    from texts
),
plain as (
    select
        *,
        case
            when ascii and not starts_with(chosen_start, rejected_start)
                and not starts_with(rejected_start, chosen_start) then false
            else trim(regexp_replace(nfc_normalize(chosen), '\s+', ' ', 'g'))
                = trim(regexp_replace(nfc_normalize(rejected), '\s+', ' ', 'g'))
        end as identical
    from starts
),
pairs as (
    select
        count(*) as pairs,
        count(*) - count(distinct pair_id) as duplicate_ids,
        count(*) - count(distinct content) as duplicate_pairs,
        count(*) filter (coalesce(not regexp_matches(chosen, '\S') or not regexp_matches(rejected, '\S'), true))
            as empty_texts,
        count(*) filter (identical) as identical_texts,
        -- a rejected that breaks a constraint may well have the higher reward
        count(*) filter (chosen_score < rejected_score and not flipped and level is distinct from 'constraint')
            as outscored,
        count(*) filter (isnan(chosen_score) or isnan(rejected_score)) as nan_scores,
        coalesce(avg(case when length(chosen) > length(rejected) then 1.0
                          when length(chosen) = length(rejected) then 0.5 else 0.0 end), 0.5) as length_win_rate
    from plain
),
ids as (  -- those of step pairs name nodes; the rejected of a quadruple answers the prompt's variant
    select chosen_id as completion_id, prompt_id from preferences where level is distinct from 'step'
    union all
    select rejected_id, prompt_id from preferences
    where level is distinct from 'step' and level is distinct from 'quadruple'
),
lost as (
    select
        (select count(*) from ids anti join completions using (completion_id, prompt_id)) as lost_completions,
        (select count(*) from preferences anti join prompts using (prompt_id)) as lost_prompts
),
rates as (
    select
        coalesce(max(error), 0.0) as error_rate,
        coalesce(max(unparsable), 0.0) as unparsable_rate,
        coalesce(max(truncated), 0.0) as truncated_rate,
        coalesce(max(refused), 0.0) as refused_rate,
        coalesce(max(contradicted), 0.0) as contradicted_rate
    from (
        select
            avg((outcome = 'error')::int) as error,
            avg((outcome = 'unparsable')::int) as unparsable,
            avg((outcome = 'truncated')::int) as truncated,
            -- "not applicable" is an answer: of the judges that may give it, it says nothing against any
            avg((outcome = 'refused' and not coalesce(contains(meta, '"not_applicable":true'), false))::int) as refused,
            avg((comparison = 'contradicted')::int) filter (comparison in ('agreed', 'tied', 'contradicted'))
                as contradicted
        from judgments
        group by judge, fingerprint, criterion
    )
)
select * from pairs, lost, rates
