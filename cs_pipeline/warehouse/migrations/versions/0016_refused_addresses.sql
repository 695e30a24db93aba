-- One spelling for each mailbox, and who gets no mail, by address. See cs_pipeline/addresses.py for the first.

create function cs.punycode(label text) returns text
language plpgsql immutable strict parallel safe
as $$
-- RFC 3492, section 6.3, without the prefix `xn--`.
declare
    signs integer[] := array(select ascii(substr(label, place, 1)) from generate_series(1, length(label)) as place);
    encoded text := regexp_replace(label, '[^\x01-\x7f]', '', 'g');
    basic integer := length(encoded);
    handled integer := basic;
    bias integer := 72;
    delta bigint := 0;
    next_sign integer := 128;
    least_sign integer;
    sign integer;
    rest bigint;
    weight integer;
    threshold integer;
    digit integer;
begin
    if basic > 0 then
        encoded := encoded || '-';
    end if;
    while handled < cardinality(signs) loop
        select min(each) into least_sign from unnest(signs) as each where each >= next_sign;
        delta := delta + (least_sign - next_sign)::bigint * (handled + 1);
        next_sign := least_sign;
        foreach sign in array signs loop
            if sign < next_sign then
                delta := delta + 1;
            elsif sign = next_sign then
                rest := delta;
                weight := 36;
                loop
                    threshold := greatest(1, least(26, weight - bias));
                    exit when rest < threshold;
                    digit := threshold + mod(rest - threshold, 36 - threshold);
                    encoded := encoded || substr('abcdefghijklmnopqrstuvwxyz0123456789', digit + 1, 1);
                    rest := (rest - threshold) / (36 - threshold);
                    weight := weight + 36;
                end loop;
                encoded := encoded || substr('abcdefghijklmnopqrstuvwxyz0123456789', rest::integer + 1, 1);
                rest := case when handled = basic then delta / 700 else delta / 2 end;
                rest := rest + rest / (handled + 1);
                weight := 0;
                while rest > 455 loop
                    rest := rest / 35;
                    weight := weight + 36;
                end loop;
                bias := weight + 36 * rest / (rest + 38);
                delta := 0;
                handled := handled + 1;
            end if;
        end loop;
        delta := delta + 1;
        next_sign := next_sign + 1;
    end loop;
    return encoded;
end
$$;
comment on function cs.punycode is 'A label of a domain in ASCII (RFC 3492), without the prefix xn--.';

create function cs.address_of(given text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
    named text := given;
    wrapped text[];
    labels text[];
begin
    -- Nearly every address: in its one spelling already.
    if length(given) <= 64 and given ~ '^[a-z0-9_+-]+([.][a-z0-9_+-]+)*@[a-z0-9]+([.-][a-z0-9]+)*[.][a-z]+[a-z]$' then
        return given;
    end if;
    if octet_length(given) > 4000 then
        return null;
    end if;
    if named !~ '^[ -~]*$' then
        named := normalize(named, NFKC);
        named := translate(named, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' ||
        E'\u0009\u000a\u000b\u000c\u000d\u0085\u1680\u2028\u2029‘’‛ʼ“”„‟«»。İ' ||
        'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĴĶĹĻĽŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ'
        'ƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƠƢƤƦƧƩƬƮƯƱƲƳƵƷƸƼǍǏǑǓǕǗǙǛǞǠǢǤǦǨǪǬǮǴǶǷǸǺǼǾȀȂȄȆȈȊȌȎȐȒȔȖȘȚȜȞȠȢȤȦȨȪȬȮȰȲȺȻȽȾ'
        'ɁɃɄɅɆɈɊɌɎͰͲͶͿΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫϏϘϚϜϞϠϢϤϦϨϪϬϮϷϺϽϾϿЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙ'
        'КЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮ'
        'ӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖႠႡႢႣႤႥႦႧႨႩႪႫႬႭႮႯႰႱႲႳ'
        'ႴႵႶႷႸႹႺႻႼႽႾႿჀჁჂჃჄჅჇჍᎠᎡᎢᎣᎤᎥᎦᎧᎨᎩᎪᎫᎬᎭᎮᎯᎰᎱᎲᎳᎴᎵᎶᎷᎸᎹᎺᎻᎼᎽᎾᎿᏀᏁᏂᏃᏄᏅᏆᏇᏈᏉᏊᏋᏌᏍᏎᏏᏐᏑᏒᏓᏔᏕᏖᏗᏘᏙᏚᏛᏜᏝᏞᏟᏠᏡᏢᏣᏤᏥ'
        'ᏦᏧᏨᏩᏪᏫᏬᏭᏮᏯᏰᏱᏲᏳᏴᏵᲐᲑᲒᲓᲔᲕᲖᲗᲘᲙᲚᲛᲜᲝᲞᲟᲠᲡᲢᲣᲤᲥᲦᲧᲨᲩᲪᲫᲬᲭᲮᲯᲰᲱᲲᲳᲴᲵᲶᲷᲸᲹᲺᲽᲾᲿḀḂḄḆḈḊḌḎḐḒḔḖḘḚḜḞḠḢḤḦḨḪḬḮḰḲḴḶ'
        'ḸḺḼḾṀṂṄṆṈṊṌṎṐṒṔṖṘṚṜṞṠṢṤṦṨṪṬṮṰṲṴṶṸṺṼṾẀẂẄẆẈẊẌẎẐẒẔẞẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲ'
        'ỴỶỸỺỼỾἈἉἊἋἌἍἎἏἘἙἚἛἜἝἨἩἪἫἬἭἮἯἸἹἺἻἼἽἾἿὈὉὊὋὌὍὙὛὝὟὨὩὪὫὬὭὮὯᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾸᾹᾺᾼῈῊῌῘῙῚῨῩ'
        'ῪῬῸῺῼℲↃⰀⰁⰂⰃⰄⰅⰆⰇⰈⰉⰊⰋⰌⰍⰎⰏⰐⰑⰒⰓⰔⰕⰖⰗⰘⰙⰚⰛⰜⰝⰞⰟⰠⰡⰢⰣⰤⰥⰦⰧⰨⰩⰪⰫⰬⰭⰮⰯⱠⱢⱣⱤⱧⱩⱫⱭⱮⱯⱰⱲⱵⱾⱿⲀⲂⲄⲆⲈⲊⲌⲎⲐⲒⲔⲖⲘⲚⲜⲞⲠⲢⲤⲦ'
        'ⲨⲪⲬⲮⲰⲲⲴⲶⲸⲺⲼⲾⳀⳂⳄⳆⳈⳊⳌⳎⳐⳒⳔⳖⳘⳚⳜⳞⳠⳢⳫⳭⳲꙀꙂꙄꙆꙈꙊꙌꙎꙐꙒꙔꙖꙘꙚꙜꙞꙠꙢꙤꙦꙨꙪꙬꚀꚂꚄꚆꚈꚊꚌꚎꚐꚒꚔꚖꚘꚚꜢꜤꜦꜨꜪꜬꜮꜲꜴꜶꜸꜺꜼꜾꝀꝂꝄꝆꝈꝊ'
        'ꝌꝎꝐꝒꝔꝖꝘꝚꝜꝞꝠꝢꝤꝦꝨꝪꝬꝮꝹꝻꝽꝾꞀꞂꞄꞆꞋꞍꞐꞒꞖꞘꞚꞜꞞꞠꞢꞤꞦꞨꞪꞫꞬꞭꞮꞰꞱꞲꞳꞴꞶꞸꞺꞼꞾꟀꟂꟄꟅꟆꟇꟉꟐꟖꟘꟵ' ||
        E'\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06\ufe07\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d\ufe0e\ufe0f\ufeff\ufff9\ufffa\ufffb', 'abcdefghijklmnopqrstuvwxyz' ||
        E'\u0020\u0020\u0020\u0020\u0020\u0020\u0020\u0020\u0020\u0027\u0027\u0027\u0027"""""".i' ||
        'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĵķĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżž'
        'ɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵơƣƥʀƨʃƭʈưʊʋƴƶʒƹƽǎǐǒǔǖǘǚǜǟǡǣǥǧǩǫǭǯǵƕƿǹǻǽǿȁȃȅȇȉȋȍȏȑȓȕȗșțȝȟƞȣȥȧȩȫȭȯȱȳⱥȼƚⱦ'
        'ɂƀʉʌɇɉɋɍɏͱͳͷϳάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋϗϙϛϝϟϡϣϥϧϩϫϭϯϸϻͻͼͽѐёђѓєѕіїјљњћќѝўџабвгдежзий'
        'клмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯ'
        'ӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆⴀⴁⴂⴃⴄⴅⴆⴇⴈⴉⴊⴋⴌⴍⴎⴏⴐⴑⴒⴓ'
        'ⴔⴕⴖⴗⴘⴙⴚⴛⴜⴝⴞⴟⴠⴡⴢⴣⴤⴥⴧⴭꭰꭱꭲꭳꭴꭵꭶꭷꭸꭹꭺꭻꭼꭽꭾꭿꮀꮁꮂꮃꮄꮅꮆꮇꮈꮉꮊꮋꮌꮍꮎꮏꮐꮑꮒꮓꮔꮕꮖꮗꮘꮙꮚꮛꮜꮝꮞꮟꮠꮡꮢꮣꮤꮥꮦꮧꮨꮩꮪꮫꮬꮭꮮꮯꮰꮱꮲꮳꮴꮵ'
        'ꮶꮷꮸꮹꮺꮻꮼꮽꮾꮿᏸᏹᏺᏻᏼᏽაბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰჱჲჳჴჵჶჷჸჹჺჽჾჿḁḃḅḇḉḋḍḏḑḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷ'
        'ḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕßạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳ'
        'ỵỷỹỻỽỿἀἁἂἃἄἅἆἇἐἑἒἓἔἕἠἡἢἣἤἥἦἧἰἱἲἳἴἵἶἷὀὁὂὃὄὅὑὓὕὗὠὡὢὣὤὥὦὧᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾰᾱὰᾳὲὴῃῐῑὶῠῡ'
        'ὺῥὸὼῳⅎↄⰰⰱⰲⰳⰴⰵⰶⰷⰸⰹⰺⰻⰼⰽⰾⰿⱀⱁⱂⱃⱄⱅⱆⱇⱈⱉⱊⱋⱌⱍⱎⱏⱐⱑⱒⱓⱔⱕⱖⱗⱘⱙⱚⱛⱜⱝⱞⱟⱡɫᵽɽⱨⱪⱬɑɱɐɒⱳⱶȿɀⲁⲃⲅⲇⲉⲋⲍⲏⲑⲓⲕⲗⲙⲛⲝⲟⲡⲣⲥⲧ'
        'ⲩⲫⲭⲯⲱⲳⲵⲷⲹⲻⲽⲿⳁⳃⳅⳇⳉⳋⳍⳏⳑⳓⳕⳗⳙⳛⳝⳟⳡⳣⳬⳮⳳꙁꙃꙅꙇꙉꙋꙍꙏꙑꙓꙕꙗꙙꙛꙝꙟꙡꙣꙥꙧꙩꙫꙭꚁꚃꚅꚇꚉꚋꚍꚏꚑꚓꚕꚗꚙꚛꜣꜥꜧꜩꜫꜭꜯꜳꜵꜷꜹꜻꜽꜿꝁꝃꝅꝇꝉꝋ'
        'ꝍꝏꝑꝓꝕꝗꝙꝛꝝꝟꝡꝣꝥꝧꝩꝫꝭꝯꝺꝼᵹꝿꞁꞃꞅꞇꞌɥꞑꞓꞗꞙꞛꞝꞟꞡꞣꞥꞧꞩɦɜɡɬɪʞʇʝꭓꞵꞷꞹꞻꞽꞿꟁꟃꞔʂᶎꟈꟊꟑꟗꟙꟶ'
        );
        named := normalize(named, NFKC);
    else
        named := translate(named, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
    end if;
    named := btrim(named, ' ');
    named := regexp_replace(named, '^mailto: *', '');
    named := regexp_replace(named, '[ ,;.]+$', '');
    wrapped := regexp_match(named, '^([^<>]*)<([^<>]*)>$');
    if wrapped is not null then
        if wrapped[1] ~ '@' and wrapped[1] ~ '[,;]' then
            return null; -- several addresses
        end if;
        named := regexp_replace(btrim(wrapped[2], ' '), '^mailto: *', '');
    end if;
    named := regexp_replace(named, '(@[^?]*)[?].*$', '\1'); -- the subject of a link
    named := regexp_replace(named, ' *[(][^()]*[)]$', '');
    named := regexp_replace(named, '^["''`](.*)["''`]$', '\1');
    named := regexp_replace(regexp_replace(named, '[ ,;.]+$', ''), '^[ ,;]+', '');
    named := regexp_replace(named, ' *@ *', '@', 'g');
    named := regexp_replace(named, '^"([^"@ ]+)"@', '\1@');
    if named !~ '^[^\x01-\x20\x7f-\x9f@<>,;:"()\[\]\\]+@[^@]+$'
        or length(split_part(named, '@', 1)) > 64
        or split_part(named, '@', 1) ~ '^[.]|[.]$'
    then
        return null;
    end if;
    labels := array(
        select
            case
                when label ~ '^[\x01-\x7f]*$' then label
                when label ~ '^([a-z0-9-]|[^\x01-\x7f])*$' then 'xn--' || cs.punycode(label)
                else ''
            end
        from unnest(string_to_array(split_part(named, '@', 2), '.')) with ordinality as labels (label, place)
        order by place
    );
    if cardinality(labels) < 2
        or exists (
            select from unnest(labels) as label
            where length(label) > 63 or label !~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'
        )
        or labels[cardinality(labels)] !~ '^[a-z][a-z0-9-]*[a-z0-9]$'
    then
        return null;
    end if;
    named := split_part(named, '@', 1) || '@' || array_to_string(labels, '.');
    return case when length(named) <= 254 then named end;
end
$$;
comment on function cs.address_of is
'The one spelling of the mailbox that a text names; null where it names none, or more than one.';

-- Both were written in whatever spelling they came in.
create index suppressions_by_address on cs.suppressions (coalesce(cs.address_of(address), lower(btrim(address))));
create index actions_by_mailbox on cs.actions (cs.address_of(recipient))
where channel in ('email', 'sms', 'webhook') and recipient_user_id is not null;

-- Indexes of loaded tables that are there already; new ones get them from the loader.
do $$
begin
    if to_regclass('raw.users') is not null then
        create index if not exists users_by_mailbox on raw.users (cs.address_of(email));
    end if;
    if to_regclass('raw.email_events') is not null then
        alter table raw.email_events add column if not exists email text;
        create index if not exists email_events_of_consent_by_mailbox on raw.email_events (cs.address_of(email))
        where event in ('unsubscribe', 'bounce', 'spam', 'subscribe');
        create index if not exists email_events_of_consent_by_user on raw.email_events (user_id)
        where event in ('unsubscribe', 'bounce', 'spam', 'subscribe');
    end if;
end
$$;

create function cs.refused_addresses(addresses text[], as_of timestamptz)
returns table (given text, reason text, since timestamptz, source text)
language plpgsql stable
as $$
-- Late bound: the staging views are dbt's. Those of an older version, until the next build, know no address of an event.
declare
    address_of_event text := case
        when exists (
            select from pg_catalog.pg_attribute as columns
            where
                columns.attrelid = to_regclass('staging.stg_email_events')
                and columns.attname = 'email'
                and not columns.attisdropped
        ) then 'events.email'
        else 'null::text'
    end;
    mailboxes text[] := array(
        select distinct coalesce(cs.address_of(each), lower(btrim(each))) from unnest(addresses) as each
        where each is not null
    );
    hashes text[] := array(select encode(sha256(convert_to(each, 'UTF8')), 'hex') from unnest(mailboxes) as each);
    user_ids text[];
begin
    -- Arrays, and plans of their own, so that indexes find the rows of a batch whatever the statistics say.
    -- Whose row is gone is known by what we sent them.
    execute $query$
    select array(
        select users.user_id
        from staging.stg_users as users
        where users.email = any($1)
        union
        select actions.recipient_user_id
        from cs.actions
        where
            cs.address_of(actions.recipient) = any($1)
            and actions.channel in ('email', 'sms', 'webhook')
            and actions.recipient_user_id is not null
            and actions.status in ('sent', 'claimed', 'uncertain')
    )
    $query$ into user_ids using mailboxes;
    return query execute replace($query$
    with asked as materialized (
        select
            spellings.given,
            spellings.mailbox,
            encode(sha256(convert_to(spellings.mailbox, 'UTF8')), 'hex') as hash
        from (
            select each as given, coalesce(cs.address_of(each), lower(btrim(each))) as mailbox
            from (select distinct unnest($1)) as distinct_ones (each)
            where each is not null
        ) as spellings
    ),

    holders as materialized (
        select asked.given, users.user_id, users.unsubscribed_at
        from asked
        inner join staging.stg_users as users on asked.mailbox = users.email
        where users.email = any($3)
    ),

    user_ids as materialized (
        select holders.given, holders.user_id
        from holders
        union
        select asked.given, actions.recipient_user_id
        from asked
        inner join cs.actions on asked.mailbox = cs.address_of(actions.recipient)
        where
            cs.address_of(actions.recipient) = any($3)
            and actions.channel in ('email', 'sms', 'webhook')
            and actions.recipient_user_id is not null
            and actions.status in ('sent', 'claimed', 'uncertain')
    ),

    events as materialized (
        select asked.given, events.event, events.occurred_at
        from asked
        inner join staging.stg_email_events as events on asked.mailbox = {address_of_event}
        where
            {address_of_event} = any($3)
            and events.event in ('unsubscribe', 'bounce', 'spam', 'subscribe')
            and events.occurred_at <= $2
        union all
        select user_ids.given, events.event, events.occurred_at
        from user_ids
        inner join staging.stg_email_events as events on user_ids.user_id = events.user_id
        where
            events.user_id = any($4)
            and events.event in ('unsubscribe', 'bounce', 'spam', 'subscribe')
            and {address_of_event} is null
            and events.occurred_at <= $2
    ),

    subscribed as (
        select events.given, max(events.occurred_at) as at
        from events
        where events.event = 'subscribe'
        group by events.given
    ),

    refused as (
        select holders.given, 'unsubscribed' as reason, holders.unsubscribed_at as since, 'users' as source
        from holders
        where holders.unsubscribed_at <= $2
        union all
        select
            events.given,
            case events.event when 'unsubscribe' then 'unsubscribed' when 'bounce' then 'bounced' else 'spam' end,
            events.occurred_at,
            'email_events'
        from events
        where events.event <> 'subscribe'
        union all
        select asked.given, suppressions.reason, suppressions.since, suppressions.source
        from asked
        inner join cs.suppressions
            on coalesce(cs.address_of(suppressions.address), lower(btrim(suppressions.address)))
            in (asked.mailbox, asked.hash)
        where
            coalesce(cs.address_of(suppressions.address), lower(btrim(suppressions.address))) = any($5)
            and suppressions.since <= $2
    )

    select refused.given, refused.reason, min(refused.since), refused.source
    from refused
    left join subscribed on refused.given = subscribed.given
    where
        refused.reason <> 'unsubscribed'
        or refused.source not in ('users', 'email_events')
        or refused.since > coalesce(subscribed.at, '-infinity')
    group by refused.given, refused.reason, refused.source
    $query$, '{address_of_event}', address_of_event)
    using addresses, as_of, mailboxes, user_ids, mailboxes || hashes;
end
$$;
comment on function cs.refused_addresses is
'Of the addresses those that get no mail at a moment: why (unsubscribed, bounced, spam, by_hand), since when, '
'and who says so.';
