# Without CVA, the attention over the joints of all views.
_base_ = ['hamuco_r18_hanco.py']

model = dict(head=dict(attention=False))
