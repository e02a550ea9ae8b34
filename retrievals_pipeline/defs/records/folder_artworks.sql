-- One row a picture of a folder, with what metadata.csv says of it.
--
-- In:  tables files (path, stem, version), told (file, remark), rows (the columns of
--      metadata.csv, all VARCHAR); variables source, box, row_limit, is_described, web_address.
-- Out: table artworks, in the order of the ids; table offered (objects, open_objects), one
--      row, of all pictures; table remarks (file, remark, value: what was written, if that is
--      the trouble); table dropped (reason, rows), which counts them.

-- Names are compared as they look: an é may be written as one character or as two.
create temp table named_rows as
select
    * replace (trim(filename) as filename, trim(artwork_url) as artwork_url),
    nfc_normalize(trim(filename)) as name,
    row_number() over (partition by name order by rowid) as occurrence
from rows;

create temp table named_files as select *, nfc_normalize(path) as name from files;

create temp table artworks as
with eligible as (
    select
        getvariable('source') || ':' || left(sha256(f.path), 16) as id,
        left(sha256(f.path), 16) as object_id,
        coalesce(nullif(trim(r.title), ''), f.stem) as title,
        coalesce(nullif(trim(r.artist), ''), 'Unknown artist') as artist,
        coalesce(trim(r.date), '') as date,
        try_cast(r.begin_year as integer) as begin_year,
        try_cast(r.end_year as integer) as end_year,
        coalesce(trim(r.medium), '') as medium,
        coalesce(trim(r.classification), '') as classification,
        coalesce(trim(r.credit), '') as credit,
        coalesce(trim(r.description), '') as description,
        []::varchar[] as school,
        []::varchar[] as theme,
        []::varchar[] as style,
        []::varchar[] as technique,
        []::varchar[] as keyword,
        []::varchar[] as place,
        null::varchar as image_uuid,
        null::integer as width,
        null::integer as height,
        null::integer as max_pixels,
        f.path as image_url,
        case when regexp_matches(r.artwork_url, getvariable('web_address'))
            then r.artwork_url else f.path
        end as artwork_url,
        -- A copy of the folder has files of other times, and is the same collection.
        null::timestamp as modified
    from named_files f
    left join named_rows r on r.name = f.name and r.occurrence = 1
    order by id
    limit getvariable('row_limit')
)
select
    e.*,
    -- Pictures are kept as they fit the box: another box, another picture.
    f.version || '-' || getvariable('box') as image_modified,
    sha256(to_json(e)::varchar) as record_sha256
from eligible e
join files f on f.path = e.image_url
order by e.id;

create temp table offered as
select count(*) as objects, count(*) as open_objects from files;

create temp table remarks as
select file, remark, null::varchar as value from told
union all
select coalesce(filename, ''), 'row of metadata.csv without a filename', null
from named_rows where coalesce(name, '') = ''
union all
select filename, 'row of metadata.csv that names no picture', null
from named_rows anti join named_files using (name) where name <> ''
union all
select filename, 'row of metadata.csv for a picture that has one already', null
from named_rows where name <> '' and occurrence > 1
union all
select
    a.image_url, 'artwork_url of metadata.csv that is no http or https address',
    left(r.artwork_url, 100)
from artworks a join named_rows r on r.name = nfc_normalize(a.image_url) and r.occurrence = 1
where r.artwork_url not in ('', a.artwork_url)
union all
select image_url, 'picture without a row in metadata.csv', null
from artworks a anti join named_rows r on r.name = nfc_normalize(a.image_url)
where getvariable('is_described')
order by all;

create temp table dropped as
select remark as reason, count(*) as rows from remarks group by all order by all;
