select
    feature,
    feature <> 'invite' as is_core
from (values ('report'), ('export'), ('invite')) as features (feature)
