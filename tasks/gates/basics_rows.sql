-- The rows behind each check of basics: a query below each name.

-- pairs
select count(*) as pairs from preferences

-- duplicate_ids
select pair_id, count(*) as times, list(prompt_id) as prompts from preferences
group by pair_id having count(*) > 1 order by times desc, pair_id

-- duplicate_pairs
select list(pair_id order by pair_id) as pair_ids, prompt_id, count(*) as times,
    any_value(left(chosen[-1].content, 200)) as chosen, any_value(left(rejected[-1].content, 200)) as rejected
from preferences group by prompt_id, prefix, annotator_group, hash(chosen, rejected)
having count(*) > 1 order by times desc, pair_ids

-- empty_texts
with texts as (
    select pair_id, prompt_id,
        array_to_string(list_transform(chosen, lambda m: coalesce(m.content, m.tool_calls, '')), chr(10)) as chosen,
        array_to_string(list_transform(rejected, lambda m: coalesce(m.content, m.tool_calls, '')), chr(10)) as rejected
    from preferences
)
select * from texts
where coalesce(not regexp_matches(chosen, '\S') or not regexp_matches(rejected, '\S'), true) order by pair_id

-- identical_texts
with texts as (
    select pair_id, prompt_id,
        array_to_string(list_transform(chosen, lambda m: coalesce(m.content, m.tool_calls, '')), chr(10)) as chosen,
        array_to_string(list_transform(rejected, lambda m: coalesce(m.content, m.tool_calls, '')), chr(10)) as rejected
    from preferences
)
select pair_id, prompt_id, left(chosen, 200) as chosen, left(rejected, 200) as rejected from texts
where trim(regexp_replace(nfc_normalize(chosen), '\s+', ' ', 'g'))
    = trim(regexp_replace(nfc_normalize(rejected), '\s+', ' ', 'g'))
order by pair_id

-- outscored
select pair_id, prompt_id, chosen_score, rejected_score, level from preferences
where chosen_score < rejected_score and not coalesce(flipped, false) and level is distinct from 'constraint'
order by chosen_score - rejected_score, pair_id

-- nan_scores
select pair_id, prompt_id, chosen_score, rejected_score from preferences
where isnan(chosen_score) or isnan(rejected_score) order by pair_id

-- lost_completions
with ids as (
    select pair_id, chosen_id as completion_id, prompt_id from preferences where level is distinct from 'step'
    union all
    select pair_id, rejected_id, prompt_id from preferences
    where level is distinct from 'step' and level is distinct from 'quadruple'
)
select * from ids anti join completions using (completion_id, prompt_id) order by pair_id, completion_id

-- lost_prompts
select pair_id, prompt_id from preferences anti join prompts using (prompt_id) order by pair_id

-- error_rate
select judgment_id, judge, criterion, prompt_id, subjects, outcome, left(rationale, 200) as said from judgments
where outcome = 'error' order by judge, judgment_id

-- unparsable_rate
select judgment_id, judge, criterion, prompt_id, subjects, outcome, left(raw, 400) as answer from judgments
where outcome = 'unparsable' order by judge, judgment_id

-- truncated_rate
select judgment_id, judge, criterion, prompt_id, subjects, outcome, right(raw, 200) as answer from judgments
where outcome = 'truncated' order by judge, judgment_id

-- refused_rate
select judgment_id, judge, criterion, prompt_id, subjects, outcome, left(raw, 400) as answer from judgments
where outcome = 'refused' and not coalesce(contains(meta, '"not_applicable":true'), false) order by judge, judgment_id

-- contradicted_rate
select comparison_id, judge, criterion, prompt_id, list(subjects order by judgment_id) as shown,
    list(winner order by judgment_id) as winners
from judgments where comparison = 'contradicted' group by all order by judge, comparison_id

-- length_win_rate
with sizes as (
    select pair_id, prompt_id,
        list_sum(list_transform(chosen, lambda m: length(coalesce(m.content, m.tool_calls, '')))) as chosen_characters,
        list_sum(list_transform(rejected, lambda m: length(coalesce(m.content, m.tool_calls, '')))) as rejected_characters
    from preferences
)
select * from sizes where chosen_characters > rejected_characters
order by chosen_characters / greatest(rejected_characters, 1) desc, pair_id

-- schema_faults
select column_name, column_type from (describe preferences)
