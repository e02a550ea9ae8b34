-- One row a work that may be shown, from the three CSV files of the NGA's open data.
--
-- In:  tables objects, published_images, objects_terms (all columns VARCHAR, as in the files);
--      functions image_url(iiif_url), artwork_url(object_id); variables source, row_limit.
-- Out: table artworks, in the order of the object ids; table offered (objects, open_objects), one
--      row, of all there are; table dropped (reason, rows).

-- A work whose key is repeated counts once: its latest row, and of equal ones the greater text.
create temp table object_rows as
select try_cast(objectid as bigint) as object_id, * exclude (objectid)
from objects
where object_id is not null
qualify row_number() over (
    partition by object_id
    order by
        try_cast(lastdetectedmodification as timestamptz) desc nulls last, objects::varchar desc
) = 1;

-- Open access is the column `openaccess`; before 2025 it was an empty `maxpixels`.
create temp table image_rows as
select
    uuid,
    rtrim(trim(iiifurl), '/') as iiif_url,
    lower(viewtype) = 'primary' as is_primary,
    coalesce(try_cast(sequence as double), 0) as sequence,
    try_cast(try_cast(width as double) as integer) as width,
    try_cast(try_cast(height as double) as integer) as height,
    try_cast(try_cast(maxpixels as double) as integer) as max_pixels,
    openaccess = '1' or (openaccess is null and nullif(trim(maxpixels), '') is null) as is_open,
    try_cast(depictstmsobjectid as bigint) as object_id,
    nullif(trim(assistivetext), '') as description,
    modified
from published_images
where regexp_matches(trim(iiifurl), '^https?://[^/\s?#]+/\S+$');

-- The picture of a work is its open primary view of the lowest sequence.
create temp table primary_images as
select * from image_rows
where is_open and is_primary
qualify row_number() over (partition by object_id order by sequence, uuid) = 1;

create temp table terms as
select
    try_cast(objectid as bigint) as object_id,
    list(distinct term order by term) filter (termtype = 'School') as school,
    list(distinct term order by term) filter (termtype = 'Theme') as theme,
    list(distinct term order by term) filter (termtype = 'Style') as style,
    list(distinct term order by term) filter (termtype = 'Technique') as technique,
    list(distinct term order by term) filter (termtype = 'Keyword') as keyword,
    list(distinct term order by term) filter (termtype = 'Place Executed') as place
from objects_terms
where nullif(trim(term), '') is not null
group by all;

create temp table artworks as
with eligible as (
    select
        getvariable('source') || ':' || o.object_id as id,
        o.object_id,
        coalesce(nullif(trim(o.title), ''), 'Untitled') as title,
        coalesce(nullif(trim(o.attribution), ''), 'Unknown artist') as artist,
        coalesce(trim(o.displaydate), '') as date,
        try_cast(o.beginyear as integer) as begin_year,
        try_cast(o.endyear as integer) as end_year,
        coalesce(trim(o.medium), '') as medium,
        coalesce(trim(o.classification), '') as classification,
        coalesce(trim(o.creditline), '') as credit,
        coalesce(i.description, '') as description,
        coalesce(t.school, []) as school,
        coalesce(t.theme, []) as theme,
        coalesce(t.style, []) as style,
        coalesce(t.technique, []) as technique,
        coalesce(t.keyword, []) as keyword,
        coalesce(t.place, []) as place,
        i.uuid as image_uuid,
        i.width,
        i.height,
        i.max_pixels,
        coalesce(i.modified, '') as image_modified,
        image_url(i.iiif_url) as image_url,
        artwork_url(o.object_id) as artwork_url,
        -- Offsets are part of the text, so that these are moments, kept as UTC.
        greatest(
            try_cast(o.lastdetectedmodification as timestamptz),
            try_cast(i.modified as timestamptz)
        ) at time zone 'UTC' as modified
    from object_rows o
    join primary_images i using (object_id)
    left join terms t using (object_id)
    order by o.object_id
    limit getvariable('row_limit')
)
select *, sha256(to_json(eligible)::varchar) as record_sha256 from eligible;

create temp table offered as
select
    (select count(*) from object_rows) as objects,
    (select count(*) from object_rows semi join primary_images using (object_id)) as open_objects;

create temp table dropped as
select 'object without a number' as reason, count(*) as rows
from objects where try_cast(objectid as bigint) is null
union all
select
    'repeated object',
    (select count(try_cast(objectid as bigint)) from objects) - count(*)
from object_rows
union all
select 'image of no known object', count(*) from image_rows anti join object_rows using (object_id)
union all
select 'image not open', count(*) from image_rows where is_open is not true
union all
select 'image without a web address', (select count(*) from published_images) - count(*)
from image_rows
union all
select 'object without an open primary image', count(*)
from object_rows anti join primary_images using (object_id);
